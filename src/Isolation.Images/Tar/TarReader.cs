using System.Diagnostics;

namespace Isolation.Images.Tar;

/// <summary>
/// Reads tar archives entry by entry: ustar, PAX and GNU, with long names, sparse files of all their forms and extended
/// attributes. Names and values are bytes and stay bytes, which System.Formats.Tar would turn into text; it knows no sparse
/// files either. Allocates nothing for an entry.
/// </summary>
internal sealed class TarReader(TarSource source)
{
    /// <summary>More than any path can have.</summary>
    internal const int MaxName = 1 << 16;

    /// <summary>What a sparse file may have; more would be an attack on memory.</summary>
    private const int MaxSegments = 1 << 18;

    private readonly byte[] _header = new byte[TarHeader.Size];
    private readonly PaxRecords _local = new(), _global = new();
    private readonly List<TarSegment> _segments = [];
    private readonly NameBuffer _name = new(), _link = new();
    private long _remaining, _padding;

    internal TarEntryType Type { get; private set; }

    internal ReadOnlySpan<byte> Name => _name.Value;

    /// <summary>Of a link: what it points to, or the entry that it is another name of.</summary>
    internal ReadOnlySpan<byte> LinkTarget => _link.Value;

    /// <summary>Permissions with set-ID and sticky bits.</summary>
    internal uint Mode { get; private set; }

    internal long UserId { get; private set; }

    internal long GroupId { get; private set; }

    internal long ModificationSeconds { get; private set; }

    internal uint ModificationNanoseconds { get; private set; }

    internal long DeviceMajor { get; private set; }

    internal long DeviceMinor { get; private set; }

    /// <summary>Bytes of content that the archive holds.</summary>
    internal long StoredSize => _remaining;

    /// <summary>Size that the file has, holes included.</summary>
    internal long Size { get; private set; }

    internal bool IsSparse { get; private set; }

    /// <summary>Of a sparse file: what is stored, in ascending order.</summary>
    internal IReadOnlyList<TarSegment> Segments => _segments;

    /// <summary>Where the entry's content begins.</summary>
    internal long Position => source.Position;

    /// <summary>The records that may hold extended attributes ("SCHILY.xattr.NAME"), those of the whole archive first.</summary>
    internal (PaxRecords Global, PaxRecords Local) Records => (_global, _local);

    /// <summary>Goes on to the next entry; false at the end.</summary>
    internal bool Read()
    {
        SkipRest();
        _local.Clear();
        _name.Clear();
        _link.Clear();
        var hasExtension = false;
        while (true)
        {
            // Two blocks of zeros end an archive. One does as well, or none, for all that matters is under a digest.
            if (!source.TryFill(_header)) return hasExtension ? throw TarSource.Truncated() : false;
            var header = new TarHeader(_header);
            if (header.IsZero) return hasExtension ? throw TarSource.Truncated() : false;
            if (!header.HasRightSum) throw new ImageException("has a header with a wrong checksum", "The layer is damaged, or no tar archive");
            var length = header.Length;
            if (length < 0) throw new ImageException("has a negative size");
            switch ((char)header.Type)
            {
                case 'x' or 'X':
                    _local.Read(source, length);
                    break;
                case 'g':
                    _global.Read(source, length);
                    break;
                case 'L':
                    _name.Read(source, length);
                    break;
                case 'K':
                    _link.Read(source, length);
                    break;
                case 'V': // a label for the whole archive
                    source.Skip(length);
                    break;
                default:
                    ReadEntry(header, length);
                    return true;
            }

            source.Skip(Padding(length));
            hasExtension = header.Type is not ((byte)'g' or (byte)'V');
        }
    }

    /// <summary>Some of the content as it is stored; empty at its end.</summary>
    internal ReadOnlySpan<byte> ReadContent(long most = long.MaxValue)
    {
        if (_remaining == 0 || most == 0) return default;
        var taken = source.Take(Math.Min(most, _remaining));
        if (taken.IsEmpty) throw TarSource.Truncated();
        _remaining -= taken.Length;
        return taken;
    }

    private void ReadEntry(TarHeader header, long length)
    {
        if (!_name.IsSet) _name.Set(header.Prefix, header.Name);
        if (!_link.IsSet) _link.Set(default, header.LinkName);
        Mode = header.Mode;
        UserId = header.UserId;
        GroupId = header.GroupId;
        (ModificationSeconds, ModificationNanoseconds) = (header.ModificationTime, 0);
        (IsSparse, Size) = (false, -1);
        _segments.Clear();
        _remaining = length;
        var sparse = default(PaxSparse);
        Apply(_global, ref sparse);
        Apply(_local, ref sparse);

        Type = (char)header.Type switch
        {
            '\0' when Name is [.., (byte)'/'] => TarEntryType.Folder, // before there was a type for them
            '0' or '\0' or '7' or 'S' => TarEntryType.File,
            '1' => TarEntryType.HardLink,
            '2' => TarEntryType.SymbolicLink,
            '3' => TarEntryType.CharacterDevice,
            '4' => TarEntryType.BlockDevice,
            '5' => TarEntryType.Folder,
            '6' => TarEntryType.Fifo,
            var other => throw Unknown(other),
        };
        if (Type != TarEntryType.File) _remaining = 0; // a size there is a hint for other purposes
        if (Type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice)
            (DeviceMajor, DeviceMinor) = (header.DeviceMajor, header.DeviceMinor);
        _padding = Padding(_remaining);

        if (header.Type == 'S') ReadGnuSegments(header);
        else if (Type == TarEntryType.File) ReadPaxSegments(sparse);
        if (Size < 0) Size = _remaining;
        if (IsSparse) CheckSegments();
    }

    private ImageException Unknown(char type)
    {
        var exception = new ImageException($"is of the unknown type '{(char.IsControl(type) ? '?' : type)}'");
        _ = exception.InEntry(Name);
        return exception;
    }

    private void Apply(PaxRecords records, ref PaxSparse sparse)
    {
        for (var i = 0; i < records.Count; i++)
        {
            var key = records.Key(i);
            var value = records.Value(i);
            if (key.StartsWith("GNU.sparse."u8)) ApplySparse(key["GNU.sparse.".Length..], value, ref sparse);
            else if (value.IsEmpty) continue; // takes back a record of the whole archive, of which none of these is likely
            else if (key.SequenceEqual("path"u8)) _name.Set(default, value);
            else if (key.SequenceEqual("linkpath"u8)) _link.Set(default, value);
            else if (key.SequenceEqual("size"u8)) _remaining = PaxRecords.Number(value, "size");
            else if (key.SequenceEqual("uid"u8)) UserId = PaxRecords.Number(value, "user id");
            else if (key.SequenceEqual("gid"u8)) GroupId = PaxRecords.Number(value, "group id");
            else if (key.SequenceEqual("mtime"u8)) (ModificationSeconds, ModificationNanoseconds) = PaxRecords.Time(value);
        }
    }

    /// <summary>The three PAX forms: 0.0 has a record for each number, 0.1 one list, 1.0 a list before the content.</summary>
    private void ApplySparse(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ref PaxSparse sparse)
    {
        if (key.SequenceEqual("major"u8)) sparse.Major = PaxRecords.Number(value, "version");
        else if (key.SequenceEqual("name"u8)) _name.Set(default, value);
        else if (key.SequenceEqual("size"u8) || key.SequenceEqual("realsize"u8)) (sparse.IsSet, Size) = (true, PaxRecords.Number(value, "size"));
        else if (key.SequenceEqual("offset"u8)) sparse.Offset = PaxRecords.Number(value, "offset");
        else if (key.SequenceEqual("numbytes"u8)) AddSegment(sparse.Offset, PaxRecords.Number(value, "size"));
        else if (key.SequenceEqual("map"u8))
        {
            long? offset = null;
            foreach (var range in value.Split((byte)','))
            {
                var number = PaxRecords.Number(value[range], "offset");
                if (offset is { } o) AddSegment(o, number);
                offset = offset is null ? number : null;
            }
        }
    }

    private void ReadPaxSegments(in PaxSparse sparse)
    {
        if (!sparse.IsSet) return;
        IsSparse = true;
        if (sparse.Major == 0) return;
        if (sparse.Major != 1) throw new ImageException($"is a sparse file of the unknown format {sparse.Major}");
        // Decimal numbers, each on a line, filled up with zeros to a whole number of blocks.
        var before = _remaining;
        var count = ReadLine();
        if (count > MaxSegments) throw TooManySegments();
        for (var i = 0L; i < count; i++)
        {
            var offset = ReadLine();
            AddSegment(offset, ReadLine());
        }

        var used = before - _remaining;
        for (var padding = Padding(used); padding > 0;)
        {
            var skipped = ReadContent(padding);
            if (skipped.IsEmpty) throw new ImageException("has a damaged map of a sparse file");
            padding -= skipped.Length;
        }
    }

    private long ReadLine()
    {
        long value = 0;
        for (var digits = 0; ; digits++)
        {
            var one = ReadContent(1);
            if (one.IsEmpty || digits > 18) break;
            if (one[0] == '\n' && digits > 0) return value;
            if (one[0] is < (byte)'0' or > (byte)'9') break;
            value = value * 10 + (one[0] - '0');
        }

        throw new ImageException("has a damaged map of a sparse file");
    }

    private void ReadGnuSegments(TarHeader header)
    {
        (IsSparse, Size) = (true, header.SparseSize);
        var hasMore = header.HasMoreSegments;
        AddSegments(header.SparseSegments);
        Span<byte> block = stackalloc byte[TarHeader.Size];
        while (hasMore)
        {
            if (!source.TryFill(block)) throw TarSource.Truncated();
            AddSegments(block[..(21 * 24)]);
            hasMore = block[504] != 0;
        }
    }

    private void AddSegments(ReadOnlySpan<byte> fields)
    {
        for (; fields.Length >= 24 && fields[0] != 0; fields = fields[24..])
            AddSegment(TarHeader.Number(fields[..12], "offset"), TarHeader.Number(fields.Slice(12, 12), "size"));
    }

    private void AddSegment(long offset, long length)
    {
        if (_segments.Count >= MaxSegments) throw TooManySegments();
        _segments.Add(new(offset, length));
    }

    private static ImageException TooManySegments() => new($"is a sparse file of more than {MaxSegments} parts");

    private void CheckSegments()
    {
        long end = 0, stored = 0;
        foreach (var segment in _segments)
        {
            if (segment.Offset < end || segment.Length < 0 || segment.Length > Size - segment.Offset)
                throw new ImageException("is a sparse file whose parts overlap or lie outside it");
            end = segment.Offset + segment.Length;
            stored += segment.Length;
        }

        if (stored != _remaining) throw new ImageException("is a sparse file whose parts are not what is stored");
    }

    private void SkipRest()
    {
        source.Skip(_remaining);
        source.SkipPadding(_padding);
        (_remaining, _padding) = (0, 0);
    }

    private static long Padding(long length)
    {
        Debug.Assert(length >= 0);
        return -length & (TarHeader.Size - 1);
    }

    private struct PaxSparse
    {
        internal bool IsSet;
        internal long Major, Offset;
    }
}
