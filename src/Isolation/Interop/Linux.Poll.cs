using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>linux/eventpoll.h, asm-generic/poll.h</summary>
internal static partial class Linux
{
    internal const int EPOLL_CTL_ADD = 1;
    internal const int EPOLL_CTL_DEL = 2;
    internal const int EPOLL_CTL_MOD = 3;
    internal const uint EPOLLIN = 1;
    internal const uint EPOLLOUT = 4;
    internal const uint EPOLLONESHOT = 1u << 30;
    internal const int EPOLL_CLOEXEC = O_CLOEXEC;
    internal const short POLLIN = 1;
    internal const short POLLPRI = 2;
    internal const short POLLOUT = 4;
    internal const short POLLERR = 8;
    internal const short POLLHUP = 0x10;
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct pollfd
{
    internal int fd;
    internal short events, revents;
}

/// <summary>struct timespec with 64-bit fields.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct timespec
{
    internal long tv_sec, tv_nsec;
}
