using System.Globalization;
using System.Text;

namespace Isolation.Tests.Images;

/// <summary>Writes tar archives byte by byte, such as no proper program would write, too.</summary>
internal sealed class TarBuilder
{
    private readonly MemoryStream _bytes = new();

    internal static readonly DateTime Time = new(2020, 2, 3, 4, 5, 6, DateTimeKind.Utc);

    internal TarBuilder File(string name, string content = "content\n", uint mode = 0x1a4, long user = 0, long group = 0) =>
        Add(name, '0', Encoding.UTF8.GetBytes(content), mode, user: user, group: group);

    internal TarBuilder Folder(string name, uint mode = 0x1ed) => Add(name, '5', mode: mode);

    internal TarBuilder Link(string name, string target) => Add(name, '2', link: target, mode: 0x1ff);

    internal TarBuilder HardLink(string name, string target) => Add(name, '1', link: target);

    /// <summary>An entry, after whose header the checksum is put in; <paramref name="change"/> comes before that.</summary>
    internal TarBuilder Add(
        string name, char type, byte[]? content = null, uint mode = 0x1a4, string link = "", long user = 0, long group = 0, long? size = null,
        (int Major, int Minor) device = default, Action<byte[]>? change = null)
    {
        var header = new byte[512];
        Text(header, 0, name);
        Number(header, 100, 8, mode);
        Number(header, 108, 8, user);
        Number(header, 116, 8, group);
        Number(header, 124, 12, size ?? content?.Length ?? 0);
        Number(header, 136, 12, new DateTimeOffset(Time).ToUnixTimeSeconds());
        header[156] = (byte)type;
        Text(header, 157, link);
        "ustar\u000000"u8.CopyTo(header.AsSpan(257));
        Number(header, 329, 8, device.Major);
        Number(header, 337, 8, device.Minor);
        change?.Invoke(header);
        header.AsSpan(148, 8).Fill((byte)' ');
        Number(header, 148, 7, header.Sum(static value => value));
        _bytes.Write(header);
        return Raw(content ?? []);
    }

    /// <summary>An extended header for the next entry.</summary>
    internal TarBuilder Pax(params (string Key, byte[] Value)[] records)
    {
        var content = new MemoryStream();
        foreach (var (key, value) in records)
        {
            var length = key.Length + value.Length + 3;
            var total = length + length.ToString(CultureInfo.InvariantCulture).Length;
            total = length + total.ToString(CultureInfo.InvariantCulture).Length;
            content.Write(Encoding.ASCII.GetBytes($"{total} {key}="));
            content.Write(value);
            content.WriteByte((byte)'\n');
        }

        return Add("pax", 'x', content.ToArray());
    }

    internal TarBuilder Pax(string key, string value) => Pax((key, Encoding.UTF8.GetBytes(value)));

    /// <summary>Bytes, filled up to a whole block.</summary>
    internal TarBuilder Raw(byte[] content)
    {
        _bytes.Write(content);
        _bytes.Write(new byte[-content.Length & 511]);
        return this;
    }

    /// <summary>The archive; without an end it stops after the last entry.</summary>
    internal byte[] Build(bool hasEnd = true)
    {
        var bytes = _bytes.ToArray();
        return hasEnd ? [.. bytes, .. new byte[1024]] : bytes;
    }

    internal static void Number(byte[] header, int offset, int length, long value)
    {
        var text = Convert.ToString(value, 8).PadLeft(length - 1, '0');
        Encoding.ASCII.GetBytes(text).CopyTo(header, offset);
    }

    /// <summary>A number in GNU's binary form, which is for those that eight digits cannot hold.</summary>
    internal static void Binary(byte[] header, int offset, int length, long value)
    {
        for (var i = length - 1; i >= 0; i--, value >>= 8) header[offset + i] = (byte)value;
        header[offset] |= 0x80;
    }

    private static void Text(byte[] header, int offset, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        bytes.AsSpan(0, Math.Min(bytes.Length, 100)).CopyTo(header.AsSpan(offset));
    }
}
