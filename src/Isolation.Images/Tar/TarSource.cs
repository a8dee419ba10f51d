namespace Isolation.Images.Tar;

/// <summary>The bytes of a tar archive, a chunk at a time, without copying them.</summary>
internal abstract class TarSource
{
    private ReadOnlyMemory<byte> _chunk;

    /// <summary>How many bytes have been taken.</summary>
    internal long Position { get; private protected set; }

    /// <summary>The next chunk, empty at the end. The one before may be reused from now on.</summary>
    protected abstract ReadOnlyMemory<byte> Next();

    /// <summary>Bytes that are at hand, at most as many; none only at the end.</summary>
    internal ReadOnlySpan<byte> Take(long most)
    {
        if (_chunk.IsEmpty && (_chunk = Next()).IsEmpty) return default;
        var taken = _chunk.Span[..(int)Math.Min(most, _chunk.Length)];
        _chunk = _chunk[taken.Length..];
        Position += taken.Length;
        return taken;
    }

    /// <summary>Fills a buffer; false when the end came before its first byte.</summary>
    internal bool TryFill(Span<byte> buffer)
    {
        var wanted = buffer;
        while (wanted.Length > 0)
        {
            var taken = Take(wanted.Length);
            if (taken.IsEmpty) return wanted.Length == buffer.Length ? false : throw Truncated();
            taken.CopyTo(wanted);
            wanted = wanted[taken.Length..];
        }

        return true;
    }

    internal virtual void Skip(long count)
    {
        while (count > 0)
        {
            var taken = Take(count);
            if (taken.IsEmpty) throw Truncated();
            count -= taken.Length;
        }
    }

    /// <summary>What fills an entry up to a whole block, which some writers (umoci 0.4) leave out after the last.</summary>
    internal void SkipPadding(long count)
    {
        while (count > 0 && Take(count) is { IsEmpty: false } taken) count -= taken.Length;
    }

    internal static ImageException Truncated() => new("the archive ends in the middle of an entry", "It is truncated; get it again");

    /// <summary>For sources that can jump: forgets what is at hand, and says how much of the jump that was.</summary>
    private protected long Forget(long most)
    {
        var forgotten = (int)Math.Min(most, _chunk.Length);
        _chunk = _chunk[forgotten..];
        Position += forgotten;
        return forgotten;
    }
}
