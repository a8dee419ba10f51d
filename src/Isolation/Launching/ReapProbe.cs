using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>
/// Does the runtime of this process reap children that are not its own? .NET does so when it is PID 1 or when SIGCHLD was
/// ignored at its start (then the kernel does, until the runtime installs a handler). A status reaped by somebody else is
/// lost to us, so starts go through a monitor then.
/// </summary>
internal static class ReapProbe
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(20);

    internal static bool Run()
    {
        const ulong child = 1ul << (Linux.SIGCHLD - 1);
        if (Kernel.getpid() == 1 || IsReapedByKernel()) return true;
        // Without a handler nobody reaps. With one, what was there before it is not to be seen: try it out with a child.
        return (Host.StatusMask("SigCgt") & child) != 0 && IsReapedByOthers();
    }

    /// <summary>
    /// The kernel itself reaps the children of who ignores SIGCHLD or has set SA_NOCLDWAIT, which may come and go: asked at
    /// each start. sigaction(2), "Notes".
    /// </summary>
    internal static bool IsReapedByKernel()
    {
        var action = Kernel.rt_sigaction(Linux.SIGCHLD);
        return action.handler == Linux.SIG_IGN || (action.flags & Linux.SA_NOCLDWAIT) != 0;
    }

    private static unsafe bool IsReapedByOthers()
    {
        var arena = ArenaPool.Rent();
        try
        {
            Span<int> handles = [-1, -1, -1, -1, -1, -1];
            arena.Plan.Clear(); // a program without steps ends at once
            arena.Encode(handles);
            _ = Launcher.Spawn(arena, 0, handles, null, out var pidfd);
            try
            {
                Span<pollfd> wait = [new pollfd { fd = pidfd, events = Linux.POLLIN }];
                _ = Kernel.poll(wait, null);
                var end = Environment.TickCount64 + (long)s_patience.TotalMilliseconds;
                do
                {
                    if (Kernel.waitid(Linux.P_PIDFD, pidfd, null, Linux.WEXITED | Linux.WNOHANG | Linux.WNOWAIT | Linux.__WALL, null) == -(int)Errno.ECHILD) return true;
                    Thread.Sleep(1);
                }
                while (Environment.TickCount64 < end);
                _ = Kernel.waitid(Linux.P_PIDFD, pidfd, null, Linux.WEXITED | Linux.WNOHANG | Linux.__WALL, null);
                return false;
            }
            finally
            {
                _ = Kernel.close(pidfd);
            }
        }
        finally
        {
            ArenaPool.Return(arena);
        }
    }
}
