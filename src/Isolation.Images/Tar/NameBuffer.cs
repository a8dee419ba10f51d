namespace Isolation.Images.Tar;

/// <summary>A name of any length, in memory that is used again for the next.</summary>
internal sealed class NameBuffer
{
    private byte[] _bytes = new byte[512];
    private int _length;

    internal bool IsSet { get; private set; }

    internal ReadOnlySpan<byte> Value => _bytes.AsSpan(0, _length);

    internal void Clear() => (IsSet, _length) = (false, 0);

    /// <summary>A name, after a prefix and a slash when there is one.</summary>
    internal void Set(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> name)
    {
        Reserve(prefix.Length + 1L + name.Length);
        _length = 0;
        if (!prefix.IsEmpty)
        {
            prefix.CopyTo(_bytes);
            _bytes[prefix.Length] = (byte)'/';
            _length = prefix.Length + 1;
        }

        name.CopyTo(_bytes.AsSpan(_length));
        _length += name.Length;
        IsSet = true;
    }

    /// <summary>The content of a GNU entry that holds the name of the next, ended by a zero.</summary>
    internal void Read(TarSource source, long size)
    {
        Reserve(size);
        if (size > 0 && !source.TryFill(_bytes.AsSpan(0, (int)size))) throw TarSource.Truncated();
        _length = (int)size;
        if (Value.IndexOf((byte)0) is var end and >= 0) _length = end;
        IsSet = true;
    }

    private void Reserve(long size)
    {
        if (size > TarReader.MaxName) throw new ImageException($"has a name of {size} bytes; a path has {EntryPath.MaxLength} at most");
        if (_bytes.Length < size) _bytes = new byte[TarReader.MaxName];
    }
}
