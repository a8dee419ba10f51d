namespace Isolation.Interop;

/// <summary>linux/nsfs.h, linux/pidfd.h</summary>
internal static partial class Linux
{
    /// <summary>_IO(0xb7, 2)</summary>
    internal const uint NS_GET_PARENT = 0xb702;

    /// <summary>_IO(0xb7, 3)</summary>
    internal const uint NS_GET_NSTYPE = 0xb703;

    // _IO(0xFF, n), Linux 6.11
    internal const uint PIDFD_GET_CGROUP_NAMESPACE = 0xff01;
    internal const uint PIDFD_GET_IPC_NAMESPACE = 0xff02;
    internal const uint PIDFD_GET_MNT_NAMESPACE = 0xff03;
    internal const uint PIDFD_GET_NET_NAMESPACE = 0xff04;
    internal const uint PIDFD_GET_PID_NAMESPACE = 0xff05;
    internal const uint PIDFD_GET_TIME_NAMESPACE = 0xff07;
    internal const uint PIDFD_GET_USER_NAMESPACE = 0xff09;
    internal const uint PIDFD_GET_UTS_NAMESPACE = 0xff0a;
}
