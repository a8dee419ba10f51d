using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>linux/fcntl.h, asm-generic/fcntl.h, linux/close_range.h, linux/memfd.h, linux/stat.h, linux/openat2.h</summary>
internal static partial class Linux
{
    internal const int O_RDONLY = 0;
    internal const int O_WRONLY = 1;
    internal const int O_RDWR = 2;
    internal const int O_CREAT = 0x40;
    internal const int O_EXCL = 0x80;
    internal const int O_NOCTTY = 0x100;
    internal const int O_NONBLOCK = 0x800;
    internal const int O_CLOEXEC = 0x80000;
    internal const int O_PATH = 0x200000;

    internal const int F_GETFD = 1;
    internal const int F_SETFD = 2;
    internal const int F_SETFL = 4;
    internal const int FD_CLOEXEC = 1;
    internal const int F_SETLEASE = 1024;
    internal const int F_DUPFD_CLOEXEC = 1030;
    internal const int F_SETPIPE_SZ = 1031;
    internal const int F_ADD_SEALS = 1033;

    internal const int F_SEAL_SEAL = 1;
    internal const int F_SEAL_SHRINK = 2;
    internal const int F_SEAL_GROW = 4;
    internal const int F_SEAL_WRITE = 8;

    internal const int AT_FDCWD = -100;
    internal const int AT_SYMLINK_NOFOLLOW = 0x100;
    internal const int AT_EMPTY_PATH = 0x1000;
    internal const int AT_RECURSIVE = 0x8000;

    internal const uint CLOSE_RANGE_UNSHARE = 2;

    internal const uint MFD_CLOEXEC = 1;
    internal const uint MFD_ALLOW_SEALING = 2;
    internal const uint MFD_EXEC = 0x10;

    internal const uint S_IFMT = 0xf000;
    internal const uint S_IFREG = 0x8000;
    internal const uint S_IFDIR = 0x4000;
    internal const uint S_IFCHR = 0x2000;
    internal const uint STATX_TYPE = 1;
    internal const uint STATX_MODE = 2;
    internal const uint STATX_UID = 8;
    internal const uint STATX_GID = 0x10;
    internal const uint STATX_INO = 0x100;

    internal const ulong RESOLVE_NO_XDEV = 1;
    internal const ulong RESOLVE_NO_MAGICLINKS = 2;
    internal const ulong RESOLVE_NO_SYMLINKS = 4;
    internal const ulong RESOLVE_IN_ROOT = 0x10;

    internal const int PROT_READ = 1;
    internal const int PROT_WRITE = 2;
    internal const int PROT_EXEC = 4;
    internal const int MAP_SHARED = 1;
    internal const int MAP_PRIVATE = 2;
    internal const int MAP_FIXED_NOREPLACE = 0x100000;
}

/// <summary>struct statx of linux/stat.h: the fields that are read, at their offsets.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct statx
{
    [FieldOffset(20)] internal uint stx_uid;
    [FieldOffset(24)] internal uint stx_gid;
    [FieldOffset(28)] internal ushort stx_mode;
    [FieldOffset(32)] internal ulong stx_ino;
    [FieldOffset(40)] internal ulong stx_size;
    [FieldOffset(112)] internal long stx_mtime_sec;
    [FieldOffset(120)] internal uint stx_mtime_nsec;
    [FieldOffset(128)] internal uint stx_rdev_major;
    [FieldOffset(132)] internal uint stx_rdev_minor;
    [FieldOffset(136)] internal uint stx_dev_major;
    [FieldOffset(140)] internal uint stx_dev_minor;
}

/// <summary>struct open_how of linux/openat2.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct open_how
{
    internal ulong flags, mode, resolve;
}

/// <summary>struct statfs of asm-generic/statfs.h: the fields that are read.</summary>
[StructLayout(LayoutKind.Explicit, Size = 120)]
internal struct statfs
{
    [FieldOffset(0)] internal long f_type;
    [FieldOffset(80)] internal long f_flags;
}
