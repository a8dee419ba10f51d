using System.Globalization;
using System.Text;
using Isolation.Interop;
using Isolation.Launching;
using Isolation.Planning;
using Isolation.Stage;
using Isolation.Supervision;
using Microsoft.Win32.SafeHandles;

namespace Isolation.TestHost;

/// <summary>
/// Every step of the fullest plan goes wrong in every way there is: it fails, the stage is killed there, it hangs there until
/// canceled or timed out. Each time the exception must be the right one and the host as before.
/// </summary>
internal static class FaultInjection
{
    private const int Injected = (int)Errno.EDOM; // nothing in the plan can fail with it by itself

    private static readonly TimeSpan s_shortTime = TimeSpan.FromMilliseconds(15);
    private static SafeFileHandle? s_handle;
    private static bool s_useInit = true, s_killOnParentExit = true, s_subordinate, s_async, s_suspended, s_detached;
    private static int s_names;
    private static int s_suspension;
    private static IsolatedProcess? s_sandbox; // that is joined, or null
    private static Namespaces s_joined;

    internal static int Run(string[] arguments)
    {
        s_useInit = !arguments.Contains("no-init");
        s_killOnParentExit = !arguments.Contains("outlive");
        s_subordinate = arguments.Contains("subordinate");
        s_suspended = arguments.Contains("suspended");
        s_detached = arguments.Contains("detached");
        var monitor = arguments.Contains("monitor") || s_detached;
        s_joined = arguments.Contains("enter") ? Namespaces.All : arguments.Contains("share") ? Namespaces.Network | Namespaces.Ipc | Namespaces.Uts : Namespaces.None;
        using (s_handle = File.OpenHandle("/dev/zero"))
        using (s_sandbox = s_joined == 0 ? null : IsolatedProcess.Start(Joinable()))
        {
            WarmUp();
            var before = HostState.Take();
            var stages = Stages();
            foreach (var isAsync in (bool[])[false, true])
            {
                s_async = isAsync; // a start that is awaited has a few steps more, for its status pipe
                var steps = Steps("sh", out var execution, out var hasMonitor);
                Expect.Equal(hasMonitor, monitor, "whether there is a monitor");
                var (cases, unreached) = (0, new List<string>());
                for (var i = 0; i < execution.First; i++)
                    Every("sh", steps, i, ref cases, unreached);

                // A file that is there but cannot be executed: every step of the look-up is reached.
                steps = Steps("/etc/passwd", out execution, out _);
                for (var i = execution.First; i < steps.Length; i++)
                    Every("/etc/passwd", steps, i, ref cases, unreached);

                Expect.True(s_sandbox is not { HasExited: true }, "the sandbox that is joined lives on");
                Console.WriteLine($"{steps.Length} steps, {cases} faults, not reached on this machine: {(unreached.Count == 0 ? "none" : string.Join("; ", unreached))}");
                Expect.True(unreached.Count <= 4, "nearly every step is reached");
            }

            return Basics.Run([]);

            void Every(string program, Step[] plan, int i, ref int cases, List<string> unreached)
            {
                var step = plan[i];
                var where = $"at step {i} ({step.Label} {step.Path})";
                try
                {
                    if (!Fails(program, plan, i)) unreached.Add($"{step.Label} {step.Path}");
                    HostState.ExpectSame(before, "the failure");
                    cases++;
                    foreach (var victim in s_async ? (Victim[])[Victim.DirectChild, Victim.Inner] : [])
                    {
                        if (!Killed(program, plan, i, victim)) continue;
                        HostState.ExpectSame(before, $"the death of the {victim}");
                        cases++;
                    }

                    if (!IsHosts(step))
                    {
                        if (s_async) Canceled(program, i);
                        else if (s_suspension == 0 || i <= s_suspension) TimedOut(program, i); // a release has no time limit
                        HostState.ExpectSame(before, s_async ? "the cancellation" : "the timeout");
                        cases++;
                    }

                    // Orphans would be nobody's children.
                    var end = Environment.TickCount64 + 5000;
                    while (Stages() != stages) Expect.True(Environment.TickCount64 < end, "no stage is left behind");
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"A fault {where}: {e.Message}", e);
                }
            }
        }
    }

    private enum Victim
    {
        DirectChild,

        /// <summary>With a monitor, its child.</summary>
        Inner,
    }

    private static int Stages() => ProcessTable.OfStage(ProcessTable.Inode(StageImage.Descriptor)).Count;

    /// <summary>What is joined by the plans that join.</summary>
    private static IsolationOptions Joinable() => new("sleep", "1000") { Namespaces = Namespaces.All, UseInit = s_useInit, HostName = "box" };

    private static IsolationOptions Fullest(string program)
    {
        var (joins, enters) = (s_joined != 0, s_joined == Namespaces.All);
        var options = Fullest(program, joins, enters, shifts: !joins || !enters && Environment.IsPrivilegedProcess);
        if (s_sandbox is { } sandbox) options.Join = NamespaceSource.FromProcess(sandbox, s_joined);
        return options;
    }

    private static IsolationOptions Fullest(string program, bool joins, bool enters, bool shifts) => new(program, "-c", "exit 0")
    {
        Namespaces = Namespaces.All,
        UseInit = s_useInit && !enters,
        KillOnParentExit = s_killOnParentExit,
        HostName = joins ? null : "box",
        Umask = 63,
        Limits = { [ResourceLimit.OpenFiles] = 512, [ResourceLimit.CoreDump] = 0, OomScoreAdjustment = 1000 },
        DomainName = joins ? null : "domain",
        Scheduling = { Policy = SchedulingPolicy.Batch, Niceness = 19, IOPriority = new IOPriority(IOPriorityClass.BestEffort, 7), Processors = [0, 1] },
        WorkingDirectory = "/usr",
        Time = { MonotonicOffset = TimeSpan.FromDays(shifts ? 1 : 0), BootTimeOffset = TimeSpan.FromDays(shifts ? 2 : 0) },
        User =
        {
            // Where the user namespace is joined, an ordinary user has no other id.
            Name = joins && !Environment.IsPrivilegedProcess ? "root" : "daemon", ForbidNestedUserNamespaces = !joins,
            UserMap = s_subordinate ? SubordinateIds.UserMap() : null, GroupMap = s_subordinate ? SubordinateIds.GroupMap() : null,
        },
        Security =
        {
            Capabilities = CapabilitySets.Of(Capabilities.Kill | Capabilities.NetBindService),
            SecureBits = SecureBits.NoRoot,
            Personality = Personality.NoAddressRandomization,
            // Every kind of rule: for folders only, for files only, for what turns out to be a file, for what may be missing, for a port.
            Landlock = new LandlockPolicy { Enforcement = LandlockEnforcement.BestEffort }
                .AllowPath("/", LandlockAccess.ReadDir).AllowPath("/", LandlockAccess.ReadFile | LandlockAccess.Execute)
                .AllowReadWrite("/dev/null").AllowPath("/usr", LandlockAccess.ReadDir, ignoreMissing: true).AllowConnectTcp(443),
        },
        Terminal = s_detached ? null : new TerminalOptions(),
        StandardInput = s_detached ? StandardStream.Null : StandardStream.Inherit,
        StandardOutput = Stream,
        StandardError = Stream,
        InheritedHandles = { [3] = s_handle!, [9] = s_handle! },
    };

    private static StandardStream Stream => s_detached ? StandardStream.Null : StandardStream.Pipe;

    /// <summary>What the host does itself and the stage passes over.</summary>
    private static bool IsHosts(in Step step) => step.Kind is StepKind.HostWrite or StepKind.HostRun;

    private static ChildProcess Launch(string program, LaunchHooks hooks) => s_async
        ? LaunchAsync(program, CancellationToken.None, hooks).GetAwaiter().GetResult()
        : Launch(program, default, hooks);

    private static ChildProcess Launch(string program, LaunchMode mode, LaunchHooks hooks)
    {
        if (!s_suspended) return IsolatedProcess.Launch(Fullest(program), mode with { Detached = Name() }, hooks);
        var child = IsolatedProcess.LaunchSuspended(Fullest(program), mode, hooks);
        child.Release();
        return child;
    }

    private static async Task<ChildProcess> LaunchAsync(string program, CancellationToken cancellationToken, LaunchHooks hooks)
    {
        if (!s_suspended) return await IsolatedProcess.LaunchAsync(Fullest(program), new LaunchMode(Detached: Name()), cancellationToken, hooks);
        var child = await IsolatedProcess.LaunchSuspendedAsync(Fullest(program), cancellationToken, hooks);
        await child.ReleaseAsync(cancellationToken);
        return child;
    }

    private static string? Name() => s_detached ? $"faults-{Environment.ProcessId}-{s_names++}" : null;

    private static Step[] Steps(string program, out ExecutionSteps execution, out bool hasMonitor)
    {
        var (steps, found, monitor) = (Array.Empty<Step>(), default(ExecutionSteps), false);
        s_suspension = 0;
        try
        {
            End(Launch(program, new LaunchHooks(plan =>
            {
                steps = plan.Steps.ToArray();
                (found, monitor) = (plan.Execution, plan.HasMonitor);
                if (plan.Suspension > 0) s_suspension = Array.FindLastIndex(steps, static step => step.Kind == StepKind.AskHost);
            })));
        }
        catch (IsolationException) when (program != "sh")
        {
            // as it should
        }

        (execution, hasMonitor) = (found, monitor);
        return steps;
    }

    /// <summary>Threads, descriptors and code that come with the first use of anything.</summary>
    private static void WarmUp()
    {
        Basics.Run([]);
        // The host's own steps are not made to hang, and a start that does not may be over before it is canceled.
        var hanging = Array.FindIndex(Steps("sh", out _, out _), static step => !IsHosts(step));
        for (var i = 0; i < 3; i++)
        {
            Canceled("sh", hanging);
            TimedOut("sh", hanging);
        }

        _ = HostState.Take();
    }

    /// <summary>False when the step was passed over, and the program ran.</summary>
    private static bool Fails(string program, Step[] steps, int i)
    {
        var expected = Injected;
        try
        {
            End(Launch(program, new LaunchHooks(plan =>
            {
                ref var step = ref plan.Steps[i];
                if (IsHosts(step))
                {
                    step.Values[5] = Injected;
                }
                else if (i >= plan.Execution.First && step.Kind == StepKind.Syscall)
                {
                    // What the look-up found is told from its own steps, so they stay what they are and get a bad pointer.
                    var pointer = step.Call == Sys.execve ? 0 : 1;
                    step.Values[pointer] = 0;
                    step.Kinds[pointer] = ArgumentKind.Number;
                    expected = (int)Errno.EFAULT;
                }
                else
                {
                    step = LaunchPlan.Make(StepKind.Check, 0, step.Label, step.Path, new Argument(ArgumentKind.Bytes, 0), 1, 0, 1, Injected);
                }
            })));
            return false;
        }
        catch (IsolationException e)
        {
            if (steps[i].Label == "look at the program" || i == steps.Length - 1)
            {
                // The failure is the program's, however well it could be looked at.
                Expect.Equal(e.Step, "execute the program", "the step");
                Expect.Equal((Errno)e.Errno, Errno.EACCES, "the errno");
                return true;
            }

            // A fork's failure is told as that of the clone it is.
            Expect.Equal(e.Step, steps[i].Label, $"the step of '{e.Message}'");
            Expect.Equal(e.Errno, expected, $"the errno of '{e.Message}'");
            var file = IsHosts(steps[i]) ? e.Path?[(e.Path.LastIndexOf('/') + 1)..] : e.Path;
            Expect.Equal(file, steps[i].Path, $"the path of '{e.Message}'");
            return true;
        }
    }

    /// <summary>False when there is no such victim at that step.</summary>
    private static bool Killed(string program, Step[] steps, int i, Victim victim)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var (pidfd, first, arena, pending) = (-1, 0, default(ProgramView), default(PendingLaunch));
        var host = IsHosts(steps[i]);
        var fork = Array.FindIndex(steps, step => step.Label == "make the sandbox's first process");
        if (host && victim == Victim.Inner) return false;
        var task = LaunchAsync(program, limit.Token, new LaunchHooks(plan => Hang(plan, i), launch =>
        {
            (pidfd, first, arena, pending) = (launch.Pidfd, launch.ProcessId, new ProgramView(launch.Arena), launch);
            // Before the host's own steps: they find the child dead.
            if (host) Kernel.pidfd_send_signal(launch.Pidfd, Linux.SIGKILL);
        }));
        using var view = arena;
        if (!host)
        {
            if (!Reached(task, arena!, i)) return Passed(task);
            var hasInner = fork >= 0 && i > fork;
            if (victim == Victim.Inner && !hasInner)
            {
                limit.Cancel();
                Expect.True(Ended<OperationCanceledException>(task) is not null, "it is canceled");
                return false;
            }

            if (victim == Victim.Inner)
            {
                // Whoever has made it may not have said so yet, or been ended before, when the host had found its child in the guard's table.
                int inner;
                while ((inner = Made()) == 0 && !task.IsCompleted) Thread.Yield();
                if (inner == 0) return Passed(task); // kill(0) is for everybody in our group
                Expect.Equal(Native.kill(inner, Linux.SIGKILL), 0, "the result of kill");
            }
            else
            {
                Kernel.pidfd_send_signal(pidfd, Linux.SIGKILL);
            }

            if (victim == Victim.DirectChild && hasInner)
            {
                // Until it has asked to die with the monitor the inner process still hangs, and nobody but us is left to end it.
                limit.Cancel();
                var ended = Ended<Exception>(task);
                // Who has asked for it may have died before the cancellation; at the execve that counts as the program's death, see below.
                Expect.True(ended is OperationCanceledException or IsolationException || ended is null && steps[i].Call == Sys.execve, $"it is canceled, and not: {ended?.Message}");
                return true;
            }
        }

        var error = Ended<IsolationException>(task);
        if (error is null)
        {
            // Between the last step and the program's first instruction nobody can tell whose death it was; and who loses the
            // monitor at its very start may already have a child that goes on, until the loss is noticed.
            Expect.True(steps[i].Call == Sys.execve || host && fork >= 0, "only the execve itself counts as the program");
            var status = task.GetAwaiter().GetResult().Exit.GetAwaiter().GetResult().ToString();
            // An init reports even so, when the program has come to its end before the loss is noticed.
            Expect.True(status == "signal SIGKILL" || host && s_useInit && status == "exit code 0", $"'{status}' is how it ended");
            return true;
        }

        if (!host) Expect.Equal(error!.Step, i >= steps.Length - 4 && error.Step == "execute the program" ? error.Step : steps[i].Label, $"the step of '{error.Message}'");
        Expect.True(error!.Errno != 0 || error.Hint!.Contains("killed", StringComparison.Ordinal), $"'{error.Message}' says that it was killed");
        return true;

        int Made() => arena!.Child != 0 ? arena.Child : pending!.ProcessId != first ? pending.ProcessId : 0;
    }

    private static void Canceled(string program, int i)
    {
        using var cancellation = new CancellationTokenSource();
        ProgramView? arena = null;
        var task = LaunchAsync(program, cancellation.Token, new LaunchHooks(plan => Hang(plan, i), launch => arena = new ProgramView(launch.Arena)));
        using var view = arena;
        if (!Reached(task, arena!, i))
        {
            Passed(task);
            return;
        }

        cancellation.Cancel();
        Expect.True(Ended<OperationCanceledException>(task) is not null, "it is canceled");
    }

    private static void TimedOut(string program, int i)
    {
        try
        {
            End(Launch(program, new LaunchMode(Deadline: Environment.TickCount64 + (long)s_shortTime.TotalMilliseconds), new LaunchHooks(plan => Hang(plan, i))));
        }
        catch (TimeoutException)
        {
            // as it should, unless the step is passed over
        }
    }

    private static void Hang(LaunchPlan plan, int i)
    {
        ref var step = ref plan.Steps[i];
        if (!IsHosts(step)) step = LaunchPlan.Make(StepKind.Syscall, Sys.ppoll, step.Label, step.Path);
    }

    private static bool Reached(Task task, ProgramView arena, int i)
    {
        while (!task.IsCompleted)
        {
            if (arena.Current == i) return true;
            Thread.Yield();
        }

        return false;
    }

    private static bool Passed(Task<Supervision.ChildProcess> task)
    {
        try
        {
            End(task.GetAwaiter().GetResult());
        }
        catch (IsolationException e)
        {
            Expect.Equal(e.Step, "execute the program", $"the step of '{e.Message}'");
        }

        return false;
    }

    private static T? Ended<T>(Task<Supervision.ChildProcess> task) where T : Exception
    {
        try
        {
            End(task.GetAwaiter().GetResult());
            return null;
        }
        catch (T e)
        {
            return e;
        }
    }

    private static void End(Supervision.ChildProcess child)
    {
        child.Kill();
        Expect.True(child.Wait(TimeSpan.FromSeconds(20)), "it ends");
        if (child.DetachedName is not null) child.Dismiss();
        child.CloseStreams();
    }
}
