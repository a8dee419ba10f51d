namespace Isolation.Images.Archives;

internal static class Compressions
{
    /// <summary>By the first bytes: what manifests say of it is not always so, and docker's say nothing.</summary>
    internal static Compression Detect(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b])) return Compression.Gzip;
        if (start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd])) return Compression.Zstd;
        // A skippable frame, with which some writers of zstd begin.
        if (start.Length >= 4 && (start[0] & 0xf0) == 0x50 && start[1..4].SequenceEqual((ReadOnlySpan<byte>)[0x2a, 0x4d, 0x18])) return Compression.Zstd;
        if (start.StartsWith("BZh"u8)) return Compression.Bzip2;
        if (start.StartsWith((ReadOnlySpan<byte>)[0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0])) return Compression.Xz;
        return start.StartsWith((ReadOnlySpan<byte>)[0x04, 0x22, 0x4d, 0x18]) ? Compression.Lz4 : Compression.None;
    }
}
