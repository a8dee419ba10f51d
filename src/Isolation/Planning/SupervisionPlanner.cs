using System.Numerics;
using Isolation.Interop;
using Isolation.Stage;

namespace Isolation.Planning;

/// <summary>The processes around the program (monitor, init), its session and its signals.</summary>
internal static class SupervisionPlanner
{
    private const int LastStandard = 31; // SIGSYS

    /// <summary>The first process stays outside, makes the sandbox's first process, and keeps its exit status.</summary>
    internal static void Monitor(LaunchPlan plan, ulong flags, bool watchHost)
    {
        plan.Add(LaunchPlan.Syscall(Sys.setsid, "give the monitor a session of its own", null));
        NoticeChildren(plan);
        plan.Add(LaunchPlan.Make(StepKind.Fork, 0, "make the sandbox's first process", null, flags | Linux.SIGCHLD,
            StageFormat.SuperviseAnnounce | ((flags & Linux.CLONE_NEWPID) == 0 ? StageFormat.SuperviseGroup : 0),
            watchHost ? Argument.Handle(PlanHandle.Host) : 0));
        plan.Add(LaunchPlan.Syscall(Sys.close, "close the host's pidfd in the child", null, Argument.Handle(PlanHandle.Host)));
    }

    /// <summary>
    /// Who joins a PID namespace does not change its own; only its children are in it. The child is the host's own (CLONE_PARENT), so that the
    /// process so far can end.
    /// </summary>
    internal static void Forward(LaunchPlan plan, ulong flags, ulong notedAt)
    {
        plan.Add(LaunchPlan.Make(StepKind.Fork, 0, "make the sandbox's first process", null, flags | Linux.CLONE_PARENT | Linux.SIGCHLD,
            StageFormat.SuperviseAnnounce | StageFormat.SuperviseLeave, 0, notedAt));
    }

    /// <summary>The monitor dies by SIGKILL only; then nobody else would end the sandbox. After the ids: a change of them clears this.</summary>
    internal static void DieWithMonitor(LaunchPlan plan) =>
        plan.Add(LaunchPlan.Syscall(Sys.prctl, "die with the monitor", null, 1 /* PR_SET_PDEATHSIG */, Linux.SIGKILL));

    /// <summary>The process so far stays PID 1: it reaps, forwards signals and ends with the program, which is its child.</summary>
    internal static void Init(LaunchPlan plan)
    {
        NoticeChildren(plan);
        plan.Add(LaunchPlan.Make(StepKind.Fork, 0, "make the program's process under init", null, (ulong)Linux.SIGCHLD, StageFormat.SuperviseForward, 0));
        // Else a signal that the program sends to its own group would reach it a second time, through the init.
        plan.Add(LaunchPlan.Syscall(Sys.setsid, "start a session for the program", null));
    }

    /// <summary>Nothing is left but to execute the program, which the host lets go when it likes.</summary>
    internal static void Suspend(LaunchPlan plan)
    {
        plan.Ask("wait to be released", null, ReleaseQuestion.Instance);
        plan.Suspension = plan.Questions.Count;
    }

    /// <summary>
    /// A session of its own: no controlling terminal whose input it could fake (TIOCSTI, CVE-2017-5226), no keyboard
    /// signals meant for the host, and a process group that can be killed as a whole.
    /// </summary>
    internal static void NewSession(LaunchPlan plan) => plan.Add(LaunchPlan.Syscall(Sys.setsid, "start a session", null));

    /// <summary>
    /// An ignored SIGCHLD survives the exec of the stage; then the kernel itself would reap the child of a supervisor, which
    /// would learn neither that it has ended nor how. wait(2), "Notes".
    /// </summary>
    private static void NoticeChildren(LaunchPlan plan) =>
        plan.Add(LaunchPlan.Syscall(Sys.rt_sigaction, "notice the end of children", null, Linux.SIGCHLD, plan.Struct(default(kernel_sigaction)), 0, 8));

    /// <summary>Every signal to its default, the mask empty: what a program may expect.</summary>
    internal static void ResetSignals(LaunchPlan plan, in HostFacts facts)
    {
        var action = plan.Struct(default(kernel_sigaction));
        // Whatever the host ignores would stay ignored across exec, and it may come to ignore a signal at any time: all are
        // reset but SIGKILL and SIGSTOP, which cannot be ignored. To look which ones need it would take longer. Of the 33
        // real-time signals, in which nobody has an interest, only those that the host ignored at its first start.
        Reset(plan, action, 1, Linux.SIGKILL - 1);
        Reset(plan, action, Linux.SIGKILL + 1, Linux.SIGSTOP - 1);
        Reset(plan, action, Linux.SIGSTOP + 1, LastStandard);
        for (var rest = facts.IgnoredSignals >> LastStandard << LastStandard; rest != 0; rest &= rest - 1)
        {
            var signal = BitOperations.TrailingZeroCount(rest) + 1;
            Reset(plan, action, signal, signal);
        }

        plan.Add(LaunchPlan.Syscall(Sys.rt_sigprocmask, "unblock all signals", null, Linux.SIG_SETMASK, plan.Struct(0ul), 0, 8));
    }

    private static void Reset(LaunchPlan plan, Argument action, int first, int last) =>
        plan.Add(LaunchPlan.Syscall(Sys.rt_sigaction, "reset the signals", null, first, action, 0, 8).Repeat(0, (uint)last));

    /// <summary>
    /// The init runs under the program's own ids, and what it reports is believed: keeps the program from tracing it or
    /// writing to its memory. The program itself is what an exec makes it again. prctl(2), PR_SET_DUMPABLE.
    /// </summary>
    internal static void Shield(LaunchPlan plan) =>
        plan.Add(LaunchPlan.Syscall(Sys.prctl, "keep the program out of the init's memory", null, Linux.PR_SET_DUMPABLE, 0));
}
