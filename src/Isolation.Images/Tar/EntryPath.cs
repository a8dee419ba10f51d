namespace Isolation.Images.Tar;

/// <summary>
/// The name of an entry, cut into its parts. What is no name below the archive's own root is refused: absolute ones and
/// those with "..".
/// </summary>
internal sealed class EntryPath
{
    internal const int MaxLength = 4095; // PATH_MAX without its zero

    /// <summary>Each folder on the way to an entry takes a descriptor.</summary>
    internal const int MaxDepth = 200;

    private const int MaxPart = 255; // NAME_MAX

    private readonly byte[] _bytes = new byte[MaxLength + 1];
    private readonly (int Start, int Length)[] _parts = new (int, int)[MaxDepth];

    /// <summary>How many parts there are: none for the root itself.</summary>
    internal int Depth { get; private set; }

    /// <summary>A part, without a zero at its end.</summary>
    internal ReadOnlySpan<byte> this[int part] => _bytes.AsSpan(_parts[part].Start, _parts[part].Length);

    /// <summary>A part with a zero at its end.</summary>
    internal ReadOnlySpan<byte> Terminated(int part) => _bytes.AsSpan(_parts[part].Start, _parts[part].Length + 1);

    internal ReadOnlySpan<byte> Last => this[Depth - 1];

    internal void Parse(ReadOnlySpan<byte> name)
    {
        Depth = 0;
        if (name.IsEmpty) throw new ImageException("has no name");
        if (name.Length > MaxLength) throw new ImageException($"has a name of {name.Length} bytes; a path has {MaxLength} at most");
        // Only the root itself may be written like that; umoci does.
        if (name[0] == '/' && name.ContainsAnyExcept((byte)'/')) throw new ImageException("has an absolute name", "A layer's names are relative to its root");
        name.CopyTo(_bytes);
        _bytes[name.Length] = 0;
        for (var start = 0; start < name.Length;)
        {
            var length = name[start..].IndexOf((byte)'/');
            if (length < 0) length = name.Length - start;
            Add(name.Slice(start, length), start);
            _bytes[start + length] = 0;
            start += length + 1;
        }
    }

    private void Add(ReadOnlySpan<byte> part, int start)
    {
        if (part.IsEmpty || part is [(byte)'.']) return;
        if (part is [(byte)'.', (byte)'.']) throw new ImageException("has '..' in its name", "It would lie outside the image");
        if (part.Contains((byte)0)) throw new ImageException("has a zero byte in its name");
        if (part.Length > MaxPart) throw new ImageException($"has a name of {part.Length} bytes in its path; {MaxPart} are possible");
        if (Depth == MaxDepth) throw new ImageException($"lies more than {MaxDepth} folders deep");
        _parts[Depth++] = (start, part.Length);
    }
}
