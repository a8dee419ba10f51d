using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>linux/mount.h, and linux/magic.h for what is mounted</summary>
internal static partial class Linux
{
    internal const ulong MS_RDONLY = 1;
    internal const ulong MS_NOSUID = 2;
    internal const ulong MS_NODEV = 4;
    internal const ulong MS_NOEXEC = 8;
    internal const ulong MS_REMOUNT = 32;
    internal const ulong MS_NOSYMFOLLOW = 256;
    internal const ulong MS_BIND = 4096;
    internal const ulong MS_REC = 16384;
    internal const ulong MS_PRIVATE = 1 << 18;
    internal const ulong MS_SLAVE = 1 << 19;
    internal const ulong MS_SHARED = 1 << 20;

    internal const uint OPEN_TREE_CLONE = 1;
    internal const uint OPEN_TREE_CLOEXEC = O_CLOEXEC;
    internal const uint MOVE_MOUNT_F_EMPTY_PATH = 4;
    internal const uint MOVE_MOUNT_T_EMPTY_PATH = 0x40;

    internal const uint FSOPEN_CLOEXEC = 1;
    internal const uint FSMOUNT_CLOEXEC = 1;
    internal const int FSCONFIG_SET_FLAG = 0;
    internal const int FSCONFIG_SET_STRING = 1;
    internal const int FSCONFIG_CMD_CREATE = 6;

    internal const ulong MOUNT_ATTR_RDONLY = 1;
    internal const ulong MOUNT_ATTR_NOSUID = 2;
    internal const ulong MOUNT_ATTR_NODEV = 4;
    internal const ulong MOUNT_ATTR_NOEXEC = 8;

    internal const ulong MOUNT_ATTR_IDMAP = 0x100000;

    internal const uint PROC_SUPER_MAGIC = 0x9fa0;
}

/// <summary>struct mount_attr, MOUNT_ATTR_SIZE_VER0.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct mount_attr
{
    internal ulong attr_set, attr_clr, propagation, userns_fd;
}
