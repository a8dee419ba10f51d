using Isolation.Interop;

namespace Isolation.Launching;

/// <summary>
/// The status pipe of a start that is awaited by epoll. Its write end is close-on-exec, so the end of the pipe tells the host that the program runs
/// or that the child is gone; the arena says which.
/// </summary>
internal static class LaunchPipe
{
    internal static void Open(Span<int> ends)
    {
        var result = Kernel.pipe2(ends, Linux.O_CLOEXEC);
        if (result < 0) throw LaunchFailure.Host("open the status pipe", "pipe2", -result);
        result = Kernel.AboveStandard(ends);
        if (result < 0) throw LaunchFailure.Host("move the status pipe", "fcntl", -result);
    }
}
