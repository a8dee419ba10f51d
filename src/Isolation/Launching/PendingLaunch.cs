using System.Globalization;
using System.Text;
using Isolation.Interop;
using Isolation.Planning;
using Isolation.Supervision;

namespace Isolation.Launching;

/// <summary>A start that is under way, and everything that has to be undone when it fails.</summary>
internal sealed class PendingLaunch(LaunchArena arena, IsolationOptions options, LaunchMode mode) : IEventHandler
{
    private readonly long _started = Environment.TickCount64;
    private StandardStreams _streams;
    private LaunchArena? _arena = arena;
    private int _statusRead = -1, _statusWrite = -1;
    private int _pidfd = -1, _innerPidfd = -1;
    private TaskCompletionSource? _ready;

    internal int Slot { get; private set; } = -1;

    /// <summary>The direct child: the sandbox's first process, or the monitor.</summary>
    internal int ProcessId { get; private set; }

    internal int Pidfd => _pidfd;

    internal LaunchArena Arena => _arena!;

    internal void Open(in DescriptorWiring wiring, Span<int> handles)
    {
        if (mode.Async)
        {
            Span<int> ends = stackalloc int[2];
            LaunchPipe.Open(ends);
            (_statusRead, _statusWrite) = (ends[0], ends[1]);
            handles[PlanHandle.Status] = _statusWrite;
        }

        _streams.Open(options, mode.Capture, wiring, handles);
    }

    internal void List() => Slot = ParentExitGuard.Rent();

    internal void Born(int pid, int pidfd)
    {
        ProcessId = pid;
        _pidfd = pidfd;
        if (Slot >= 0) ParentExitGuard.Complete(Slot, killGroup: (options.Namespaces & Namespaces.Pid) == 0);
        Close(ref _statusWrite);
        _streams.CloseProgramEnds();
    }

    /// <summary>The parts of the plan that only a process of the parent namespace can do, while the stage goes ahead.</summary>
    internal void RunHostSteps()
    {
        var arena = Arena;
        if (arena.Plan.HasMonitor)
        {
            // The monitor says when there is a child; its end instead means that there never will be one.
            var child = arena.WaitForChild(_pidfd, mode.EffectiveDeadline);
            if (child < 0) throw TimedOut();
            if (child == 0) throw Failure();
            _innerPidfd = Kernel.AboveStandard(Kernel.pidfd_open(arena.Header.Child));
            if (_innerPidfd < 0) throw LaunchFailure.Host("open a pidfd of the child", "pidfd_open", -_innerPidfd);
        }

        if (!arena.Plan.HasHostSteps) return;
        var pid = SandboxProcessId;
        var steps = arena.Plan.Steps;
        for (var i = 0; i < steps.Length; i++)
            if (steps[i].Kind == StepKind.HostWrite) Write(pid, steps[i]);
        arena.ReleaseStage();
    }

    /// <summary>Blocks until the program runs.</summary>
    internal ChildProcess Complete()
    {
        if (Arena.WaitForEnd(_pidfd, mode.EffectiveDeadline)) return Conclude();
        Abandon();
        throw TimedOut();
    }

    /// <summary>The same without a thread waiting.</summary>
    internal async Task<ChildProcess> CompleteAsync(CancellationToken cancellationToken)
    {
        _ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var watch = EventLoop.Instance.WatchOnce(_statusRead, this);
        try
        {
            await using (cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), _ready))
                await _ready.Task.ConfigureAwait(false);
        }
        catch
        {
            EventLoop.Instance.Forget(watch, _statusRead);
            Abandon();
            throw;
        }

        EventLoop.Instance.Forget(watch, _statusRead);
        return Conclude();
    }

    public void OnReady(uint events) => _ready!.TrySetResult();

    /// <summary>Ends and undoes everything.</summary>
    internal void Abandon()
    {
        if (_pidfd >= 0)
        {
            if (_innerPidfd >= 0) _ = Kernel.pidfd_send_signal(_innerPidfd, Linux.SIGKILL);
            if (Slot >= 0 && (options.Namespaces & Namespaces.Pid) == 0) _ = Kernel.kill(-ProcessId, Linux.SIGKILL);
            // A monitor ends by itself with its child; before there is one it is killed.
            if (_innerPidfd < 0 || options.KillOnParentExit) _ = Kernel.pidfd_send_signal(_pidfd, Linux.SIGKILL);
            Span<pollfd> wait = [new pollfd { fd = _pidfd, events = Linux.POLLIN }];
            _ = Kernel.poll(wait, null);
            if (_innerPidfd >= 0)
            {
                wait[0].fd = _innerPidfd;
                _ = Kernel.poll(wait, null);
            }
        }

        ReleaseSlot();
        unsafe
        {
            if (_pidfd >= 0) _ = Kernel.waitid(Linux.P_PIDFD, _pidfd, null, Linux.WEXITED | Linux.__WALL, null);
        }

        Close(ref _pidfd);
        Close(ref _innerPidfd);
        Close(ref _statusRead);
        Close(ref _statusWrite);
        _streams.Abandon();
        if (_arena is not null) ArenaPool.Return(_arena);
        _arena = null;
    }

    private int SandboxProcessId => Arena.Plan.HasMonitor ? Arena.Header.Child : ProcessId;

    /// <summary>The stage has ended: the program runs, or the child failed or was killed.</summary>
    private ChildProcess Conclude()
    {
        var arena = Arena;
        var execution = arena.Plan.Execution;
        var current = (int)arena.Header.Current;
        if (Volatile.Read(ref arena.Header.Failed) >= 0 || current < execution.First || current >= execution.First + execution.Count)
        {
            var failure = Failure();
            Abandon();
            throw failure;
        }

        var supervised = arena.Plan.IsSupervised;
        var child = new ChildProcess(new LaunchedProcess(
            ProcessId: SandboxProcessId,
            InnerProcessId: (options.Namespaces & Namespaces.Pid) == 0 ? SandboxProcessId : options.UseInit ? 2 : 1,
            Pidfd: _pidfd,
            InnerPidfd: _innerPidfd,
            Slot: Slot,
            OwnsPidNamespace: (options.Namespaces & Namespaces.Pid) != 0,
            Arena: supervised ? arena : null,
            Started: _started,
            Logger: options.Logger,
            Name: options.FileName));
        Close(ref _statusRead);
        _pidfd = _innerPidfd = Slot = -1;
        _arena = null;
        child.Input = _streams.Input;
        child.Output = _streams.Output;
        child.Error = _streams.Error;
        if (!supervised) ArenaPool.Return(arena);
        child.Watch();
        return child;
    }

    private static TimeoutException TimedOut() => new("The sandbox was not set up within the time given.");

    private IsolationException Failure() => LaunchFailure.OfStage(Arena, options);

    private void Write(int pid, in Step step)
    {
        var plan = Arena.Plan;
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{PlanPrinter.Text(plan, step.Values[0])}");
        var injected = (int)step.Values[5];
        var content = plan.Data.Slice((int)step.Values[1], (int)step.Values[2]);
        var fd = injected != 0 ? -injected : Kernel.open(path, Linux.O_WRONLY);
        if (fd < 0) throw LaunchFailure.Host(step.Label, "openat", -fd, path, "The host needs its own /proc to write the maps of a user namespace");
        var written = Kernel.write(fd, content);
        _ = Kernel.close(fd);
        if (written != content.Length) throw LaunchFailure.Host(step.Label, "write", (int)-written, path, FailureHints.ForUserMap((int)-written));
    }

    private void ReleaseSlot()
    {
        if (Slot >= 0) ParentExitGuard.Return(Slot);
        Slot = -1;
    }

    private static void Close(ref int fd)
    {
        if (fd >= 0) _ = Kernel.close(fd);
        fd = -1;
    }
}
