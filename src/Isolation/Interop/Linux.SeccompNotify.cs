using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>linux/seccomp.h: filters that ask a supervisor. seccomp_unotify(2).</summary>
internal static partial class Linux
{
    internal const uint SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
    internal const uint SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1;
    internal const uint SECCOMP_ADDFD_FLAG_SEND = 2;
    internal const uint SECCOMP_IOCTL_NOTIF_RECV = 0xc0502100;
    internal const uint SECCOMP_IOCTL_NOTIF_SEND = 0xc0182101;
    internal const uint SECCOMP_IOCTL_NOTIF_ID_VALID = 0x40082102;
    internal const uint SECCOMP_IOCTL_NOTIF_ADDFD = 0x40182103;
}

/// <summary>struct seccomp_notif.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct seccomp_notif
{
    internal ulong id;
    internal uint pid, flags;
    internal seccomp_data data;
}

/// <summary>struct seccomp_notif_resp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct seccomp_notif_resp
{
    internal ulong id;
    internal long val;
    internal int error;
    internal uint flags;
}

/// <summary>struct seccomp_notif_addfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct seccomp_notif_addfd
{
    internal ulong id;
    internal uint flags, srcfd, newfd, newfd_flags;
}
