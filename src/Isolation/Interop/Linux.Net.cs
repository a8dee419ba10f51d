using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>linux/socket.h, linux/sockios.h, linux/if.h</summary>
internal static partial class Linux
{
    internal const int AF_UNIX = 1;
    internal const int AF_INET = 2;
    internal const int AF_INET6 = 10;
    internal const int AF_NETLINK = 16;
    internal const int AF_PACKET = 17;
    internal const int AF_ALG = 38;
    internal const int AF_VSOCK = 40;
    internal const int SOCK_STREAM = 1;
    internal const int SOCK_DGRAM = 2;
    internal const int SOCK_CLOEXEC = O_CLOEXEC;
    internal const int SOL_SOCKET = 1;
    internal const int SCM_RIGHTS = 1;
    internal const int MSG_DONTWAIT = 0x40;
    internal const int MSG_CTRUNC = 8;
    internal const int MSG_NOSIGNAL = 0x4000;
    internal const int MSG_CMSG_CLOEXEC = 0x40000000;
    internal const int SIOCSIFFLAGS = 0x8914;
    internal const short IFF_UP = 1;
}

/// <summary>struct msghdr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct msghdr
{
    internal ulong msg_name;
    internal uint msg_namelen;
    internal ulong msg_iov, msg_iovlen, msg_control, msg_controllen;
    internal int msg_flags;
}

/// <summary>struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct iovec
{
    internal ulong iov_base, iov_len;
}

/// <summary>struct cmsghdr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct cmsghdr
{
    internal ulong cmsg_len;
    internal int cmsg_level, cmsg_type;
}

/// <summary>struct ifreq with its ifr_flags.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct ifreq
{
    [FieldOffset(0)] internal fixed byte ifr_name[16];
    [FieldOffset(16)] internal short ifr_flags;
}
