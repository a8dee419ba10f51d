namespace Isolation.Images.Archives;

internal enum Compression
{
    None,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
    Lz4,
}
