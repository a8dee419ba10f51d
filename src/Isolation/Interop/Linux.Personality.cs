namespace Isolation.Interop;

/// <summary>linux/personality.h</summary>
internal static partial class Linux
{
    internal const uint PER_LINUX32 = 0x0008;
    internal const uint UNAME26 = 0x0020000;
    internal const uint ADDR_NO_RANDOMIZE = 0x0040000;
    internal const uint MMAP_PAGE_ZERO = 0x0100000;
    internal const uint ADDR_COMPAT_LAYOUT = 0x0200000;
    internal const uint READ_IMPLIES_EXEC = 0x0400000;
    internal const uint ADDR_LIMIT_32BIT = 0x0800000;
    internal const uint ADDR_LIMIT_3GB = 0x8000000;
}
