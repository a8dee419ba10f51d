using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>
/// A small process that waits for the end of this app and then gives its terminal back the modes that it had, when they are still
/// those that this app has set: what SIGKILL and crashes leave behind. A stage with a plan, like the guard of
/// <see cref="ParentExitGuard"/>, but not among those that the guard ends.
/// </summary>
internal sealed class ConsoleKeeper : IDisposable
{
    private readonly LaunchArena _arena;
    private int _pidfd;

    private ConsoleKeeper(LaunchArena arena, int pidfd) => (_arena, _pidfd) = (arena, pidfd);

    internal static unsafe ConsoleKeeper Start(int terminal, in termios2 saved, in termios2 ours)
    {
        var arena = ArenaPool.Rent();
        try
        {
            Span<int> handles = stackalloc int[PlanHandle.FirstInherited];
            handles.Fill(-1);
            handles[PlanHandle.FirstPrepared] = terminal;
            handles[PlanHandle.Host] = HostDescriptor.Value;
            Plan(arena.Plan, saved, ours);
            arena.Encode(handles);
            _ = Launcher.Spawn(arena, 0, handles, null, out var pidfd);
            return new ConsoleKeeper(arena, pidfd);
        }
        catch
        {
            ArenaPool.Return(arena);
            throw;
        }
    }

    public unsafe void Dispose()
    {
        if (_pidfd < 0) return;
        _ = Kernel.pidfd_send_signal(_pidfd, Linux.SIGKILL);
        Span<pollfd> wait = [new pollfd { fd = _pidfd, events = Linux.POLLIN }];
        _ = Kernel.poll(wait, null);
        _ = Kernel.waitid(Linux.P_PIDFD, _pidfd, null, Linux.WEXITED | Linux.__WALL, null);
        _ = Kernel.close(_pidfd);
        _pidfd = -1;
        ArenaPool.Return(_arena);
    }

    private static void Plan(LaunchPlan plan, in termios2 saved, in termios2 ours)
    {
        const string label = "restore the terminal of the host";
        var terminal = Argument.Handle(PlanHandle.FirstPrepared);
        plan.Clear();
        // No member of the app's process group: who kills that one does not mean this. Out of its session, it may change the modes.
        plan.Add(LaunchPlan.Syscall(Sys.setsid, "leave the host's session", null));
        plan.Add(LaunchPlan.Syscall(Sys.ppoll, "wait for the end of the host", null, plan.Struct(new pollfd { fd = HostDescriptor.Value, events = Linux.POLLIN }), 1, 0, 0, 8));
        var modes = plan.Buffer(48);
        plan.Add(LaunchPlan.Syscall(Sys.ioctl, label, null, terminal, Linux.TCGETS2, modes));
        // c_iflag and c_oflag, then c_cflag and c_lflag
        plan.Add(LaunchPlan.Check(label, null, modes, 0, 8, ulong.MaxValue, Pair(ours.c_iflag, ours.c_oflag), Errno.EEXIST).Tolerate(Errno.EEXIST).SkipNext(2));
        plan.Add(LaunchPlan.Check(label, null, modes, 8, 8, ulong.MaxValue, Pair(ours.c_cflag, ours.c_lflag), Errno.EEXIST).Tolerate(Errno.EEXIST).SkipNext(1));
        plan.Add(LaunchPlan.Syscall(Sys.ioctl, label, null, terminal, Linux.TCSETS2, plan.Struct(saved)));
        plan.Add(LaunchPlan.Syscall(Sys.exit_group, "end", null, 0));
    }

    private static ulong Pair(uint first, uint second) => second * (1ul << 32) | first;
}
