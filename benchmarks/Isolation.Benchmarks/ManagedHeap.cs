namespace Isolation.Benchmarks;

/// <summary>Live, touched objects of many sizes, with references among them, as a grown application has.</summary>
internal static class ManagedHeap
{
    private sealed class Node(byte[] content, Node? next)
    {
        internal readonly byte[] Content = content;
        internal readonly Node? Next = next;
    }

    internal static object Fill(int megabytes)
    {
        var lists = new List<object?>();
        var random = new Random(2);
        for (var i = 0; i < megabytes; i++)
        {
            // One list a megabyte, so that the collector never has to follow one without end.
            Node? list = null;
            for (var size = 0; size < 1 << 20;)
            {
                var content = new byte[random.Next(64, 8192)];
                random.NextBytes(content);
                list = new Node(content, list);
                size += content.Length;
            }

            lists.Add(list);
        }

        GC.Collect();
        return lists;
    }
}
