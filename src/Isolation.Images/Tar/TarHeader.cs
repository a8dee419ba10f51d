using System.Buffers.Binary;

namespace Isolation.Images.Tar;

/// <summary>The 512 bytes before an entry: ustar of POSIX, the GNU variant, and what was there before both (tar(5)).</summary>
internal readonly ref struct TarHeader(ReadOnlySpan<byte> block)
{
    internal const int Size = 512;

    private readonly ReadOnlySpan<byte> _block = block;

    internal byte Type => _block[156];

    internal ReadOnlySpan<byte> Name => Text(0, 100);

    internal uint Mode => (uint)(Number(100, 8, "mode") & 0xfff);

    internal long UserId => Number(108, 8, "user id");

    internal long GroupId => Number(116, 8, "group id");

    internal long Length => Number(124, 12, "size");

    internal long ModificationTime => Number(136, 12, "time");

    internal ReadOnlySpan<byte> LinkName => Text(157, 100);

    internal long DeviceMajor => Number(329, 8, "device number");

    internal long DeviceMinor => Number(337, 8, "device number");

    /// <summary>What comes before the name and a slash. GNU keeps other things there.</summary>
    internal ReadOnlySpan<byte> Prefix => _block[257..263].SequenceEqual("ustar\0"u8) ? Text(345, 155) : default;

    internal bool IsGnu => _block[257..265].SequenceEqual("ustar  \0"u8);

    internal bool IsZero => !_block.ContainsAnyExcept((byte)0);

    /// <summary>Sum of all bytes, those of the sum itself taken as spaces. Some old programs took bytes as signed.</summary>
    internal bool HasRightSum
    {
        get
        {
            if (!TryNumber(_block.Slice(148, 8), out var expected)) return false;
            long sum = 0, signed = 0;
            for (var i = 0; i < Size; i++)
            {
                var value = i is >= 148 and < 156 ? (byte)' ' : _block[i];
                sum += value;
                signed += (sbyte)value;
            }

            return expected == sum || expected == signed;
        }
    }

    /// <summary>The segments of the old GNU form that are in the header itself.</summary>
    internal ReadOnlySpan<byte> SparseSegments => _block.Slice(386, 4 * 24);

    internal bool HasMoreSegments => _block[482] != 0;

    internal long SparseSize => Number(483, 12, "size");

    internal static long Number(ReadOnlySpan<byte> field, string what) =>
        TryNumber(field, out var value) ? value : throw new ImageException($"has a {what} that is no number");

    private long Number(int offset, int length, string what) => Number(_block.Slice(offset, length), what);

    private ReadOnlySpan<byte> Text(int offset, int length)
    {
        var field = _block.Slice(offset, length);
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    /// <summary>Octal digits, or with the highest bit set a binary number, highest byte first.</summary>
    private static bool TryNumber(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        if ((field[0] & 0x80) != 0) return TryBinary(field, out value);
        field = field.Trim(" \0"u8);
        foreach (var digit in field)
        {
            if (digit is < (byte)'0' or > (byte)'7') return false;
            value = value << 3 | (uint)(digit - '0');
        }

        return true;
    }

    private static bool TryBinary(ReadOnlySpan<byte> field, out long value)
    {
        Span<byte> bytes = stackalloc byte[12];
        var isNegative = (field[0] & 0x40) != 0;
        bytes.Fill(isNegative ? (byte)0xff : (byte)0);
        field.CopyTo(bytes[(12 - field.Length)..]);
        // The marking bit is no part of the number, whose sign is the next.
        if (!isNegative) bytes[12 - field.Length] &= 0x7f;
        value = BinaryPrimitives.ReadInt64BigEndian(bytes[4..]);
        var high = BinaryPrimitives.ReadInt32BigEndian(bytes);
        return high == (value < 0 ? -1 : 0);
    }
}
