using Isolation.Interop;
using Isolation.Launching;
using Isolation.Planning;
using Isolation.Stage;

namespace Isolation.Supervision;

/// <summary>A running sandbox: signals it, notices its end, reaps it, and releases what belonged to it.</summary>
internal sealed partial class ChildProcess(LaunchedProcess launched) : IEventHandler
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<ProcessExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _pidfd = launched.Pidfd, _innerPidfd = launched.InnerPidfd;
    private int _slot = launched.Slot;
    private LaunchArena? _arena = launched.Arena;
    private ulong _watch;
    private bool _watched;
    private ProcessEndReason? _killed;

    internal int ProcessId => launched.ProcessId;

    internal int InnerProcessId => launched.InnerProcessId;

    internal bool OwnsPidNamespace => launched.OwnsPidNamespace;

    internal Microsoft.Extensions.Logging.ILogger? Logger => launched.Logger;

    internal string Name => launched.Name;

    /// <summary>What confines the program.</summary>
    internal EnforcementRecord Enforced { get; init; }

    /// <summary>Brings syscalls to the host, or null.</summary>
    internal SyscallListener? Listener { get; set; }

    internal PipeWriteStream? Input { get; init; }

    internal PipeReadStream? Output { get; init; }

    internal PipeReadStream? Error { get; init; }

    internal Terminal? Terminal { get; init; }

    /// <summary>Completes when the sandbox has ended and is reaped.</summary>
    internal Task<ProcessExitStatus> Exit => _exited.Task;

    internal void Watch()
    {
        if (launched.Parked is null) Log.Started(launched.Logger, launched.Name, ProcessId);
        else Log.Suspended(launched.Logger, launched.Name, ProcessId);
        if (!launched.IsFound) Telemetry.Running();
        lock (_gate)
        {
            if (_pidfd < 0) return;
            _watch = EventLoop.Instance.WatchOnce(_pidfd, this);
            _watched = true;
        }
    }

    public void OnReady(uint events)
    {
        // A logger is the user's code, which the event loop must not wait for.
        if (launched.Logger is null) TryReap();
        else ThreadPool.UnsafeQueueUserWorkItem(static child => child.TryReap(), this, preferLocal: false);
    }

    /// <summary>Sends a signal; false when the sandbox has ended.</summary>
    internal bool Signal(int signal)
    {
        lock (_gate)
        {
            if (_pidfd < 0) return false;
            var pidfd = _innerPidfd >= 0 ? _innerPidfd : _pidfd;
            // An init forwards what it gets. What would stop it, or be taken for the end of a child, or overtake another of
            // these on the way (pending signals are taken in the order of their numbers), is wrapped.
            var result = launched.HasInit && signal is >= Linux.SIGCHLD and <= Linux.SIGTTOU
                ? Kernel.pidfd_send_signal(pidfd, StageFormat.ForwardSignal, StageFormat.ForwardTag | signal)
                : Kernel.pidfd_send_signal(pidfd, signal);
            if (result == 0) return true;
            if (result == -(int)Errno.ESRCH) return false;
            throw LaunchFailure.Host("send a signal to the sandbox", "pidfd_send_signal", -result, signal.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    /// <summary>SIGKILL to everything inside.</summary>
    /// <param name="reason">What is told of it, unless it was killed for another before.</param>
    internal void Kill(ProcessEndReason reason = ProcessEndReason.Killed)
    {
        lock (_gate)
        {
            if (_pidfd < 0) return;
            _killed ??= reason;
            // The number stays the sandbox's until the reap below, under the same lock; with a monitor, until that has reaped.
            var pidfd = _innerPidfd >= 0 ? _innerPidfd : _pidfd;
            if (!OwnsPidNamespace && Kernel.pidfd_send_signal(pidfd, 0) == 0) _ = Kernel.kill(-ProcessId, Linux.SIGKILL);
            _ = Kernel.pidfd_send_signal(pidfd, Linux.SIGKILL);
        }
    }

    /// <summary>All processes inside, the first one first; empty when it has ended.</summary>
    internal List<int> GetProcessIds()
    {
        lock (_gate)
        {
            // Not reaped, so its number is still its own.
            if (_pidfd < 0) return [];
            if (Host.NumberInProc(ProcessId, _innerPidfd >= 0 ? _innerPidfd : _pidfd) is var number && number != ProcessId && number != 0)
                throw new InvalidOperationException("The /proc of this app is that of another PID namespace, whose numbers mean nothing here.");
            return ProcessTree.Below(ProcessId);
        }
    }

    internal bool Pause()
    {
        var end = Environment.TickCount64 + 5000;
        var stopped = new HashSet<int>();
        while (true)
        {
            var settled = true;
            var processes = GetProcessIds();
            if (processes.Count == 0) return false;
            foreach (var pid in processes)
            {
                // What has been told to stop may have had a child before it did: until there is nobody new, and all have.
                if (stopped.Add(pid)) settled &= !ProcessTree.Signal(pid, Linux.SIGSTOP);
                else settled &= ProcessTree.State(pid) is null or 'T' or 't' or 'D' or 'Z' or 'X';
            }

            if (settled) return true;
            if (Environment.TickCount64 > end) throw new TimeoutException("The sandbox makes processes faster than they can be stopped.");
            Thread.Yield();
        }
    }

    internal bool Resume()
    {
        var processes = GetProcessIds();
        foreach (var pid in processes) _ = ProcessTree.Signal(pid, Linux.SIGCONT);
        return processes.Count > 0;
    }

    /// <summary>Waits on the calling thread; false when the time is up first.</summary>
    internal bool Wait(TimeSpan? timeout)
    {
        if (TryReap()) return WaitForReaper();
        int copy;
        lock (_gate)
        {
            if (_pidfd < 0) return WaitForReaper();
            copy = Kernel.fcntl(_pidfd, Linux.F_DUPFD_CLOEXEC, 3); // ours to wait on, whoever reaps
        }

        if (copy < 0) return WaitForReaper(timeout);
        Span<pollfd> wait = [new pollfd { fd = copy, events = Linux.POLLIN }];
        var begin = Environment.TickCount64;
        var ready = Kernel.poll(wait, timeout) > 0;
        _ = Kernel.close(copy);
        if (!ready) return false;
        if (TryReap()) return WaitForReaper();
        // It is being released, and who does that will reap it.
        return WaitForReaper(timeout is null ? null : timeout.Value - TimeSpan.FromMilliseconds(Environment.TickCount64 - begin));
    }

    /// <summary>True when the sandbox has ended and is reaped, by this call or before.</summary>
    internal bool TryReap()
    {
        ProcessExitStatus status;
        lock (_gate)
        {
            if (_pidfd < 0) return true;
            if (_releasing) return false;
            Span<pollfd> poll = [new pollfd { fd = _pidfd, events = Linux.POLLIN }];
            if (Kernel.poll(poll, TimeSpan.Zero) <= 0) return false;
            if (!OwnsPidNamespace && !launched.IsSupervised) _ = Kernel.kill(-ProcessId, Linux.SIGKILL); // what is left of its process group
            if (_slot >= 0) ParentExitGuard.Return(_slot);
            _slot = -1;
            status = ExitReader.Reap(_pidfd, _arena, TimeSpan.FromMilliseconds(Environment.TickCount64 - launched.Started));
            if (status.SignalNumber != 0)
                status = status with { Reason = status.SignalNumber == Linux.SIGKILL ? _killed ?? ProcessEndReason.Signaled : ProcessEndReason.Signaled };
            if (status.SignalNumber == Linux.SIGKILL && Listener?.Killed is { } killed && (launched.HasInit ? killed.Inner == InnerProcessId : killed.Process == ProcessId))
                status = status with { SignalNumber = Linux.SIGSYS, ExitCode = 128 + Linux.SIGSYS, Reason = ProcessEndReason.Signaled, Denial = killed.Denial };
            if (_watched) EventLoop.Instance.Forget(_watch, _pidfd);
            _ = Kernel.close(_pidfd);
            _pidfd = -1;
            if (_innerPidfd < 0 || !EndOrphan())
            {
                if (_innerPidfd >= 0) _ = Kernel.close(_innerPidfd);
                if (_arena is not null) Release(_arena);
            }

            _innerPidfd = -1;
            _arena = null;
            _parked?.Forget();
            _parked = null;
        }

        Listener?.Dispose();
        if (status is { SignalNumber: Linux.SIGKILL, Reason: ProcessEndReason.Signaled } && Around is { } sandbox && sandbox.IsEnding()) status = status with { Reason = ProcessEndReason.ParentExited };
        EndInside();
        if (_failure is { } failure)
        {
            Telemetry.NeverRan();
            if (_exited.TrySetException(failure)) _ = _exited.Task.Exception; // who has released it knows
            return true;
        }

        if (!launched.IsFound) Telemetry.Exited(status);
        Log.Exited(launched.Logger, launched.Name, ProcessId, status);
        _exited.TrySetResult(status);
        return true;
    }

    /// <summary>Somebody has killed the monitor alone: what it watched over must not stay. False when it has ended already.</summary>
    private bool EndOrphan()
    {
        if (Kernel.pidfd_send_signal(_innerPidfd, 0) != 0) return false;
        if (!OwnsPidNamespace) _ = Kernel.kill(-ProcessId, Linux.SIGKILL);
        _ = Kernel.pidfd_send_signal(_innerPidfd, Linux.SIGKILL);
        ThreadPool.UnsafeQueueUserWorkItem(static orphan =>
        {
            Span<pollfd> wait = [new pollfd { fd = orphan.Pidfd, events = Linux.POLLIN }];
            _ = Kernel.poll(wait, null);
            unsafe
            {
                // Ours to reap if we are process 1.
                _ = Kernel.waitid(Linux.P_PIDFD, orphan.Pidfd, null, Linux.WEXITED | Linux.WNOHANG | Linux.__WALL, null);
            }

            _ = Kernel.close(orphan.Pidfd);
            if (orphan.Arena is not null) orphan.Owner.Release(orphan.Arena); // an init may write into it to its last moment
        }, (Owner: this, Pidfd: _innerPidfd, Arena: _arena), preferLocal: false);
        return true;
    }

    /// <summary>
    /// A program that was left capabilities may have traced the init, and made it leave a copy of itself behind, which no PID namespace
    /// has ended: what that copy can still write to must not be anybody's next plan.
    /// </summary>
    private void Release(LaunchArena arena)
    {
        if (launched.HasInit && !OwnsPidNamespace) arena.Dispose();
        else ArenaPool.Return(arena);
    }

    /// <summary>Whoever has reaped it, which may be the event loop, says how it ended a moment later.</summary>
    private bool WaitForReaper(TimeSpan? timeout = null)
    {
        if (_exited.Task.IsCompleted) return true;
        var limit = timeout is not { } time ? Timeout.InfiniteTimeSpan : time > TimeSpan.Zero ? time : TimeSpan.Zero;
        return ((IAsyncResult)_exited.Task).AsyncWaitHandle.WaitOne(limit);
    }
}
