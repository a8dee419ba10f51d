using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>asm/fcntl.h, linux/fcntl.h, linux/stat.h: what making and removing files takes</summary>
internal static partial class Linux
{
    internal const int AT_REMOVEDIR = 0x200;

    internal const int LOCK_SH = 1;
    internal const int LOCK_EX = 2;
    internal const int LOCK_UN = 8;
    internal const int LOCK_NB = 4;

    internal const uint S_IFBLK = 0x6000;
    internal const uint S_IFIFO = 0x1000;
    internal const uint S_IFLNK = 0xa000;
    internal const uint S_ISUID = 0x800;
    internal const uint S_ISGID = 0x400;

    internal const uint STATX_BASIC_STATS = 0x7ff;

    /// <summary>Those flags of open(2) that have another value on arm64.</summary>
    internal static readonly int O_DIRECTORY = DirectoryFlag(RuntimeInformation.ProcessArchitecture);

    /// <inheritdoc cref="O_DIRECTORY"/>
    internal static readonly int O_NOFOLLOW = NoFollowFlag(RuntimeInformation.ProcessArchitecture);

    /// <inheritdoc cref="O_DIRECTORY"/>
    internal static readonly int O_TMPFILE = TemporaryFlag(RuntimeInformation.ProcessArchitecture);

    internal static int DirectoryFlag(Architecture architecture) => architecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    internal static int NoFollowFlag(Architecture architecture) => architecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    internal static int TemporaryFlag(Architecture architecture) => 0x400000 | DirectoryFlag(architecture);
}
