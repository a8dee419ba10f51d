using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>linux/landlock.h; the rights themselves are the public flags of the same values.</summary>
internal static partial class Linux
{
    internal const uint LANDLOCK_CREATE_RULESET_VERSION = 1;
    internal const int LANDLOCK_RULE_PATH_BENEATH = 1;
    internal const int LANDLOCK_RULE_NET_PORT = 2;

    internal const ulong LANDLOCK_ACCESS_FS_EXECUTE = (ulong)LandlockAccess.Execute;
    internal const ulong LANDLOCK_ACCESS_FS_WRITE_FILE = (ulong)LandlockAccess.WriteFile;
    internal const ulong LANDLOCK_ACCESS_FS_READ_FILE = (ulong)LandlockAccess.ReadFile;
    internal const ulong LANDLOCK_ACCESS_FS_READ_DIR = (ulong)LandlockAccess.ReadDir;
    internal const ulong LANDLOCK_ACCESS_FS_REMOVE_DIR = (ulong)LandlockAccess.RemoveDir;
    internal const ulong LANDLOCK_ACCESS_FS_REMOVE_FILE = (ulong)LandlockAccess.RemoveFile;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_CHAR = (ulong)LandlockAccess.MakeChar;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_DIR = (ulong)LandlockAccess.MakeDir;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_REG = (ulong)LandlockAccess.MakeReg;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_SOCK = (ulong)LandlockAccess.MakeSock;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_FIFO = (ulong)LandlockAccess.MakeFifo;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_BLOCK = (ulong)LandlockAccess.MakeBlock;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_SYM = (ulong)LandlockAccess.MakeSym;
    internal const ulong LANDLOCK_ACCESS_FS_REFER = (ulong)LandlockAccess.Refer;
    internal const ulong LANDLOCK_ACCESS_FS_TRUNCATE = (ulong)LandlockAccess.Truncate;
    internal const ulong LANDLOCK_ACCESS_FS_IOCTL_DEV = (ulong)LandlockAccess.IoctlDev;
    internal const ulong LANDLOCK_ACCESS_NET_BIND_TCP = (ulong)LandlockNetworkAccess.BindTcp;
    internal const ulong LANDLOCK_ACCESS_NET_CONNECT_TCP = (ulong)LandlockNetworkAccess.ConnectTcp;
    internal const ulong LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = (ulong)LandlockScopes.AbstractUnixSocket;
    internal const ulong LANDLOCK_SCOPE_SIGNAL = (ulong)LandlockScopes.Signal;
    internal const uint LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF = (uint)LandlockLog.SameExecOff;
    internal const uint LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON = (uint)LandlockLog.NewExecOn;
    internal const uint LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF = (uint)LandlockLog.SubdomainsOff;

    internal const int AT_EACCESS = 0x200;
}

/// <summary>struct landlock_ruleset_attr as of ABI 6. Older kernels take it when what they do not know is 0.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct landlock_ruleset_attr
{
    internal ulong handled_access_fs, handled_access_net, scoped;
}

/// <summary>struct landlock_path_beneath_attr: without padding.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct landlock_path_beneath_attr
{
    internal ulong allowed_access;
    internal int parent_fd;
}

/// <summary>struct landlock_net_port_attr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct landlock_net_port_attr
{
    internal ulong allowed_access, port;
}
