using System.Globalization;
using System.Text;
using Isolation.Filtering;
using Isolation.Interop;
using Isolation.Planning;
using Isolation.Stage;
using Isolation.Supervision;

namespace Isolation.Launching;

/// <summary>A start that is under way, and everything that has to be undone when it fails.</summary>
internal sealed partial class PendingLaunch(LaunchArena arena, IsolationOptions options, LaunchMode mode, MountTable? mounts = null, DetachedEntry? entry = null) : IEventHandler, IWaitingStage
{
    private static readonly TimeSpan s_monitorsTime = TimeSpan.FromSeconds(2);

    private readonly long _started = Environment.TickCount64;
    private StandardStreams _streams;
    private MountPreparation? _prepared;
    private LaunchArena? _arena = arena;
    private int _statusRead = -1, _statusWrite = -1;
    private int _pidfd = -1, _innerPidfd = -1;
    private TaskCompletionSource? _ready;
    private int _question; // the number of the last one that was asked
    private bool _parked;
    private long _deadline = mode.EffectiveDeadline;
    private SyscallListener? _listener;
    private long _lowNumbers;
    private bool _hidesMemory;

    internal int Slot { get; private set; } = -1;

    /// <summary>The direct child: the sandbox's first process, or the monitor.</summary>
    internal int ProcessId { get; private set; }

    internal int Pidfd => _pidfd;

    internal LaunchArena Arena => _arena!;

    /// <summary>What was taken over on the way.</summary>
    internal SyscallListener? Listener => _listener;

    /// <summary>The host's mounts have changed since the plan was made: the stage must not go on, and the start is to be tried again.</summary>
    internal bool MissedMounts { get; private set; }

    internal void HideMemory()
    {
        MemoryExposure.Prevent();
        _hidesMemory = true;
    }

    /// <summary>The mounts that only the host can make, if there are any.</summary>
    internal MountPreparation? Prepare() => _prepared = PreparedMounts.Any(options) ? MountPreparation.Open(options) : null;

    internal void Open(in DescriptorWiring wiring, Span<int> handles)
    {
        if (mode.HasStatus)
        {
            Span<int> ends = stackalloc int[2];
            LaunchPipe.Open(ends);
            (_statusRead, _statusWrite) = (ends[0], ends[1]);
            handles[PlanHandle.Status] = _statusWrite;
        }

        _streams.Open(options, mode.Capture, wiring, handles);
        // Without a table of its own from the start, the child copies it: see LowDescriptors.
        if (mode.HasStatus) return;
        ParkAll(handles, PlanHandle.StandardInput, 3);
        ParkAll(handles, PlanHandle.FirstInherited, wiring.InheritedNumbers.Length);
    }

    private void ParkAll(Span<int> handles, int first, int count)
    {
        foreach (ref var handle in handles.Slice(first, count))
            handle = LowDescriptors.Park(handle, ref _lowNumbers);
    }

    internal void Born(int pid, int pidfd)
    {
        ProcessId = pid;
        _pidfd = pidfd;
        if (Slot >= 0 && !Arena.Plan.HasForwarder) ParentExitGuard.Complete(Slot);
        Close(ref _statusWrite);
        if (mode.HasStatus) _streams.CloseProgramEnds(); // else the child may not have its own copies yet
    }

    /// <summary>The parts of the plan that only a process of the parent namespace can do, while the stage goes ahead.</summary>
    internal void RunHostSteps()
    {
        var arena = Arena;
        if (!arena.Plan.HasHostSteps) return;
        var pid = Host.NumberInProc(SandboxProcessId, _innerPidfd >= 0 ? _innerPidfd : _pidfd);
        var steps = arena.Plan.Steps;
        var runs = false;
        for (var i = 0; i < steps.Length; i++)
        {
            if (steps[i].Kind == StepKind.HostWrite) Write(pid, steps[i]);
            runs |= steps[i].Kind == StepKind.HostRun;
        }

        if (runs) RunHelpers(pid);
        MissedMounts = mounts is not null && mounts.HasChanged();
        if (!MissedMounts) arena.ReleaseStage();
    }

    /// <summary>Blocks until the program runs, which releases a parked one.</summary>
    internal ChildProcess Complete()
    {
        try
        {
            if (!_parked) Meet();
            GoOn();
            return Conclude();
        }
        catch
        {
            Abandon();
            throw;
        }
    }

    /// <summary>The same without a thread waiting.</summary>
    internal async Task<ChildProcess> CompleteAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!_parked) await MeetAsync(cancellationToken).ConfigureAwait(false);
            await GoOnAsync(cancellationToken).ConfigureAwait(false);
            return Conclude();
        }
        catch
        {
            Abandon();
            throw;
        }
    }

    /// <summary>
    /// Blocks until all is done but the program's exec, in a start that is <see cref="LaunchMode.Suspended"/>. Then the start may stay like that for as
    /// long as wanted, and costs no thread: until it is completed, abandoned or handed over. Nobody watches it meanwhile; see <see cref="HasEnded"/>.
    /// </summary>
    internal void Park()
    {
        try
        {
            Meet();
            while (true)
            {
                if (!WaitForQuestion()) throw Failure();
                if (_question == Arena.Plan.Suspension) break;
                Answer();
            }

            Settle();
        }
        catch
        {
            Abandon();
            throw;
        }
    }

    /// <summary>The same without a thread waiting.</summary>
    internal async Task ParkAsync(CancellationToken cancellationToken)
    {
        try
        {
            await MeetAsync(cancellationToken).ConfigureAwait(false);
            while (true)
            {
                if (!await WaitForQuestionAsync(cancellationToken).ConfigureAwait(false)) throw Failure();
                if (_question == Arena.Plan.Suspension) break;
                Answer();
            }

            Settle();
        }
        catch
        {
            Abandon();
            throw;
        }
    }

    /// <summary>A parked start as a process that can be waited for and ended; it finishes the start by <see cref="Finish"/>.</summary>
    internal ChildProcess HandOver()
    {
        var child = Create(this);
        Slot = -1;
        _hidesMemory = false;
        Watch(child);
        return child;
    }

    /// <summary>
    /// Releases what was handed over and blocks until the program runs. The child must not be reaped meanwhile, and is the caller's to end when this throws.
    /// </summary>
    internal void Finish()
    {
        GoOn();
        Check();
    }

    /// <summary>The same without a thread waiting.</summary>
    internal async Task FinishAsync(CancellationToken cancellationToken)
    {
        await GoOnAsync(cancellationToken).ConfigureAwait(false);
        Check();
    }

    /// <summary>Nobody will ask for the end of a start that was handed over.</summary>
    internal void Forget() => Close(ref _statusRead);

    public void OnReady(uint events) => _ready!.TrySetResult();

    /// <summary>Ends and undoes everything.</summary>
    internal void Abandon()
    {
        if (_pidfd >= 0)
        {
            EndForwarder();
            if (_innerPidfd < 0)
            {
                EndChild(_pidfd, ProcessId);
                // A monitor that was killed while it made a child: the kernel has noted the number before the child ran.
                if (Arena.Plan.HasMonitor && Arena.Header.Child is > 0 and var child) _innerPidfd = Kernel.AboveStandard(Kernel.pidfd_open(child));
                if (_innerPidfd >= 0) EndChild(_innerPidfd, Arena.Header.Child);
            }
            else
            {
                // The child first, and time for the monitor to reap it: one that is killed before leaves an orphan.
                EndChild(_innerPidfd, Arena.Header.Child);
                Span<pollfd> wait = [new pollfd { fd = _pidfd, events = Linux.POLLIN }];
                if (Kernel.poll(wait, s_monitorsTime) == 0) EndChild(_pidfd, ProcessId);
            }
        }

        ReleaseSlot();
        if (_hidesMemory) MemoryExposure.Undo();
        _hidesMemory = false;
        unsafe
        {
            if (_pidfd >= 0) _ = Kernel.waitid(Linux.P_PIDFD, _pidfd, null, Linux.WEXITED | Linux.__WALL, null);
            // An orphan is ours now, if we are process 1.
            if (_innerPidfd >= 0) _ = Kernel.waitid(Linux.P_PIDFD, _innerPidfd, null, Linux.WEXITED | Linux.WNOHANG | Linux.__WALL, null);
        }

        CloseMounts();
        _listener?.Dispose();
        _listener = null;
        Close(ref _pidfd);
        Close(ref _innerPidfd);
        Close(ref _statusRead);
        Close(ref _statusWrite);
        _streams.Abandon();
        if (_arena is not null) ArenaPool.Return(_arena);
        _arena = null;
        entry?.Remove();
    }

    private void EndChild(int pidfd, int pid)
    {
        // Canceled at the last moment, the program may run and have children already.
        if ((options.MadeNamespaces & Namespaces.Pid) == 0 && Kernel.pidfd_send_signal(pidfd, 0) == 0) _ = Kernel.kill(-pid, Linux.SIGKILL);
        _ = Kernel.pidfd_send_signal(pidfd, Linux.SIGKILL);
        Span<pollfd> wait = [new pollfd { fd = pidfd, events = Linux.POLLIN }];
        _ = Kernel.poll(wait, null);
    }

    /// <summary>The monitor has a child, or is gone without ever having had one.</summary>
    private void MeetChild()
    {
        if (Arena.Plan.HasForwarder)
        {
            MeetForwarded();
            return;
        }

        var child = Volatile.Read(ref Arena.Header.Child);
        if (child == 0) throw Failure();
        _innerPidfd = Kernel.AboveStandard(Kernel.pidfd_open(child));
        // It may have failed already, or even have run to its end, and been reaped by the monitor.
        if (_innerPidfd == -(int)Errno.ESRCH) return;
        if (_innerPidfd < 0) throw LaunchFailure.Host("open a pidfd of the child", "pidfd_open", -_innerPidfd);
        RunHostSteps();
        if (MissedMounts) throw MountTable.Changed();
    }

    int IWaitingStage.ProcessId => SandboxProcessId;

    int IWaitingStage.Pidfd => _innerPidfd >= 0 ? _innerPidfd : _pidfd;

    Span<byte> IWaitingStage.Data => Arena.Data;

    ref long IWaitingStage.Register(byte register) => ref Arena.Header.Registers[register];

    void IWaitingStage.Release() => Arena.ReleaseStage(_question);

    bool IWaitingStage.HasEnded => HasEnded;

    void IWaitingStage.TakeListener(SyscallSupervision supervision, int filterStep) =>
        _listener = ListenerTaker.Take(this, supervision, filterStep, options.UseInit);

    long IWaitingStage.Result(int step) => Arena.Result(step);

    private int SandboxProcessId => Arena.Plan.HasMonitor ? Arena.Header.Child : ProcessId;

    /// <summary>The stage has ended: the program runs, or the child failed or was killed.</summary>
    private void Check()
    {
        var arena = Arena;
        var execution = arena.Plan.Execution;
        var current = (int)arena.Header.Current;
        if (Volatile.Read(ref arena.Header.Failed) >= 0 || current < execution.First || current >= execution.First + execution.Count) throw Failure();
    }

    private ChildProcess Conclude()
    {
        Check();
        _streams.TakeTerminal();
        var child = Create(null);
        var arena = Arena;
        Close(ref _statusRead);
        _pidfd = _innerPidfd = Slot = -1;
        _hidesMemory = false;
        _arena = null;
        _listener = null;
        _streams.CloseProgramEnds();
        CloseMounts();
        if (entry is not null) Volatile.Write(ref arena.Header.Go, StageFormat.Detached);
        if (!arena.Plan.IsSupervised) ArenaPool.Return(arena);
        Watch(child);
        return child;
    }

    private ChildProcess Create(PendingLaunch? parked)
    {
        var plan = Arena.Plan;
        var keepsArena = parked is not null || plan.IsSupervised;
        if (keepsArena) Arena.LeaveLowDescriptor();
        var child = new ChildProcess(new LaunchedProcess(
            ProcessId: SandboxProcessId,
            InnerProcessId: InnerProcessId,
            Pidfd: _pidfd,
            InnerPidfd: _innerPidfd,
            Slot: Slot,
            OwnsPidNamespace: (options.MadeNamespaces & Namespaces.Pid) != 0,
            HasInit: options.UseInit,
            IsSupervised: plan.IsSupervised,
            Arena: keepsArena ? Arena : null,
            Parked: parked,
            Entry: entry,
            Started: _started,
            Logger: options.Logger,
            Name: options.FileName))
        {
            Policy = options.Policy(),
            JoinedPidNamespace = PidNamespace,
            Around = options.Joined is { } joined && (joined.Namespaces & Namespaces.Pid) != 0 ? joined.Source.Sandbox : null,
            ProgramEnvironment = plan.ProgramEnvironment,
            ProgramUser = FoundUser,
            IsForked = plan.Forks,
            Enforced = Arena.Enforced(),
            Listener = _listener,
            Input = _streams.Input,
            Output = _streams.Output,
            Error = _streams.Error,
            Terminal = _streams.Terminal,
        };
        if (child.Terminal is { } terminal) terminal.ProgramEnd = child.Exit;
        return child;
    }

    private void Watch(ChildProcess child)
    {
        try
        {
            child.Watch();
        }
        catch
        {
            // Nobody would get it, so nobody would end it.
            child.Kill();
            _ = child.Wait(null);
            _streams.Abandon();
            entry?.Remove();
            throw;
        }
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
        if (fd == -(int)Errno.EACCES && AwaitOwnMemory()) fd = Kernel.open(path, Linux.O_WRONLY);
        if (fd < 0) throw HostFailure(step.Label, "openat", -fd, path, FailureHints.ForHost((Errno)(-fd)) ?? "The host needs its own /proc to write the maps of a user namespace");
        var written = Kernel.write(fd, content);
        _ = Kernel.close(fd);
        if (written != content.Length) throw HostFailure(step.Label, "write", (int)-written, path, FailureHints.ForUserMap((int)-written));
    }

    private void RunHelpers(int pid)
    {
        using var helpers = new MapHelpers();
        _ = AwaitOwnMemory();
        try
        {
            foreach (ref var step in Arena.Plan.Steps)
                if (step.Kind == StepKind.HostRun) helpers.Start(Arena.Plan, step, pid, options.KillOnParentExit);
            if (!helpers.Wait(pid, _deadline)) throw TimedOut();
        }
        catch (IsolationException) when (HasEnded)
        {
            throw Failure();
        }
    }

    /// <summary>Until its exec the child has the address space of a host that may not be dumpable, and then its files in /proc belong to root.</summary>
    private bool AwaitOwnMemory()
    {
        var patience = Environment.TickCount64 + 100;
        while (Volatile.Read(ref Arena.Header.Current) == 0 && !HasEnded && Environment.TickCount64 < patience) Thread.Yield();
        return !HasEnded;
    }

    /// <summary>A child that has failed or been killed before, and so cannot be found, is the cause and not the host's step.</summary>
    private IsolationException HostFailure(string step, string syscall, int errno, string path, string? hint)
    {
        return HasEnded ? Failure() : LaunchFailure.Host(step, syscall, errno, path, hint);
    }

    /// <summary>Whether the stage is gone, or has failed.</summary>
    internal bool HasEnded
    {
        get
        {
            Span<pollfd> end = [new pollfd { fd = _innerPidfd >= 0 ? _innerPidfd : _pidfd, events = Linux.POLLIN }];
            return Volatile.Read(ref Arena.Header.Failed) >= 0 || Kernel.poll(end, TimeSpan.Zero) > 0;
        }
    }

    /// <summary>Not before the child is over or executes its program: earlier it may still have no copies of these descriptors.</summary>
    private void CloseMounts()
    {
        LowDescriptors.Return(ref _lowNumbers);
        _prepared?.Dispose();
        mounts?.Dispose();
        CloseJoined();
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
