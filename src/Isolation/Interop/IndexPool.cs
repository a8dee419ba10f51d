namespace Isolation.Interop;

/// <summary>Hands out the indices 0 to capacity-1, without locks and without allocating after construction.</summary>
internal sealed class IndexPool(int capacity)
{
    private readonly int[] _next = new int[capacity];
    private long _head = -1; // low half: the first returned index, or -1; high half: a count against ABA
    private int _fresh;

    /// <summary>An index, or -1 when all are taken.</summary>
    internal int Rent()
    {
        while (true)
        {
            var head = Volatile.Read(ref _head);
            var first = (int)head;
            if (first < 0) break;
            var replacement = (head & ~0xffffffffL) + (1L << 32) | (uint)Volatile.Read(ref _next[first]);
            if (Interlocked.CompareExchange(ref _head, replacement, head) == head) return first;
        }

        if (Volatile.Read(ref _fresh) >= capacity) return -1;
        var index = Interlocked.Increment(ref _fresh) - 1;
        return index < capacity ? index : -1;
    }

    internal void Return(int index)
    {
        while (true)
        {
            var head = Volatile.Read(ref _head);
            Volatile.Write(ref _next[index], (int)head);
            var replacement = (head & ~0xffffffffL) + (1L << 32) | (uint)index;
            if (Interlocked.CompareExchange(ref _head, replacement, head) == head) return;
        }
    }
}
