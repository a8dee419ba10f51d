using System.Globalization;

namespace Isolation.TestHost;

/// <summary>A host with a large heap, all of it in memory: nothing of it is copied for a start, nor found in the program.</summary>
internal static class BigHeap
{
    internal static int Run(string[] arguments)
    {
        var heap = new byte[int.Parse(arguments[0], CultureInfo.InvariantCulture)][];
        for (var i = 0; i < heap.Length; i++)
        {
            heap[i] = new byte[1 << 20];
            Array.Fill(heap[i], (byte)i);
        }

        Expect.True(Environment.WorkingSet >= heap.Length * (1L << 20), "the heap is in memory");
        for (var i = 0; i < 50; i++)
        {
            var result = IsolatedProcess.RunAndCaptureText(new IsolationOptions("sh", "-c", "read size rest < /proc/self/statm; echo $size; exit 4"));
            Expect.Equal(result.ExitStatus.ToString(), "exit code 4", "the status");
            Expect.True(long.Parse(result.StandardOutput, CultureInfo.InvariantCulture) < 25_000, "the program's address space is its own");
        }

        for (var i = 0; i < heap.Length; i++) Expect.True(heap[i].AsSpan().IndexOfAnyExcept((byte)i) < 0, "the heap is unharmed");
        return Basics.Run([]);
    }
}
