using System.Text;

namespace Isolation.Images.Tar;

/// <summary>The records of a PAX extended header: "length key=value\n", where a value may hold any bytes (pax(1)).</summary>
internal sealed class PaxRecords
{
    /// <summary>Extended attributes, 64 KiB each at most, are the largest that is of use.</summary>
    private const int MaxBytes = 1 << 20;

    private readonly List<(Range Key, Range Value)> _records = [];
    private byte[] _bytes = new byte[1024];

    internal int Count => _records.Count;

    internal ReadOnlySpan<byte> Key(int i) => _bytes.AsSpan(_records[i].Key);

    internal ReadOnlySpan<byte> Value(int i) => _bytes.AsSpan(_records[i].Value);

    internal void Clear() => _records.Clear();

    /// <summary>Replaces the records by those of a header of this size, which the source is about to give.</summary>
    internal void Read(TarSource source, long size)
    {
        _records.Clear();
        if (size is < 0 or > MaxBytes) throw new ImageException($"has an extended header of {size} bytes, of 1 MiB at most");
        var length = (int)size;
        if (_bytes.Length < length) _bytes = new byte[Math.Max(length, Math.Min(MaxBytes, _bytes.Length * 2))];
        if (length > 0 && !source.TryFill(_bytes.AsSpan(0, length))) throw TarSource.Truncated();

        for (var at = 0; at < length;)
        {
            var rest = _bytes.AsSpan(at, length - at);
            var space = rest.IndexOf((byte)' ');
            if (space is < 1 or > 9 || !TryDecimal(rest[..space], out var count) || count <= space + 2 || count > rest.Length || rest[(int)count - 1] != '\n')
                throw new ImageException("has a damaged extended header");
            var equals = rest[(space + 1)..(int)count].IndexOf((byte)'=');
            if (equals < 1) throw new ImageException("has a damaged extended header");
            var key = at + space + 1;
            _records.Add((key..(key + equals), (key + equals + 1)..(at + (int)count - 1)));
            at += (int)count;
        }
    }

    /// <summary>A number without sign.</summary>
    internal static bool TryDecimal(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        if (text.IsEmpty || text.Length > 19) return false;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9') return false;
            value = unchecked(value * 10 + (digit - '0'));
            if (value < 0) return false;
        }

        return true;
    }

    internal static long Number(ReadOnlySpan<byte> text, string what) =>
        TryDecimal(text, out var value) ? value : throw new ImageException($"has the {what} '{ImageException.Printable(text)}', which is none");

    /// <summary>Seconds since 1970, with a sign and a fraction perhaps.</summary>
    internal static (long Seconds, uint Nanoseconds) Time(ReadOnlySpan<byte> text)
    {
        var isNegative = text is [(byte)'-', ..];
        var number = isNegative ? text[1..] : text;
        var point = number.IndexOf((byte)'.');
        var seconds = Number(point < 0 ? number : number[..point], "time");
        uint nanoseconds = 0;
        if (point >= 0)
        {
            var scale = 100_000_000u;
            foreach (var digit in number[(point + 1)..])
            {
                if (digit is < (byte)'0' or > (byte)'9') throw new ImageException($"has the time '{Encoding.UTF8.GetString(text)}', which is none");
                nanoseconds += scale * (uint)(digit - '0');
                scale /= 10;
            }
        }

        if (!isNegative) return (seconds, nanoseconds);
        return nanoseconds == 0 ? (-seconds, 0) : (-seconds - 1, 1_000_000_000 - nanoseconds);
    }
}
