using System.Runtime.InteropServices;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>
/// setns(2): namespaces that exist already in place of new ones. The stage enters them, which has an address space of its own, nothing of the
/// host's open, and cannot be traced or read by anybody inside: whoever lives there may be hostile, and until the program is executed it has the
/// host's rights.
/// </summary>
internal static class JoinPlanner
{
    internal const string Label = "join the namespaces";

    // Where the stage maps the part of the guard's table that has its entry: pages are 64 KiB at most.
    internal const ulong TableAddress = 0x4000_0000;
    internal const int TablePart = 0x1_0000;

    /// <summary>Everything up to the process that becomes the program, or its init.</summary>
    internal static void Begin(LaunchPlan plan, IsolationOptions options, JoinedNamespaces joined, in HostFacts facts)
    {
        // By the host's own /proc; that of the sandbox may be anything.
        LimitPlanner.AdjustOomScore(plan, options);
        var made = NamespacePlanner.CloneFlags(options.MadeNamespaces);
        var changesPid = ((joined.Namespaces | options.MadeNamespaces) & Namespaces.Pid) != 0;
        // The maps of a new user namespace are written from outside, and a PID namespace is entered by being born in it.
        var forwards = !facts.ReapsEverything && (changesPid || (options.MadeNamespaces & Namespaces.User) != 0);
        if (forwards && options.KillOnParentExit) MapTable(plan);
        if ((joined.Namespaces & Namespaces.User) != 0 && facts.Has(Linux.CAP_SETGID) && !facts.DeniesSetgroups) LeaveGroups(plan, facts);
        plan.Add(LaunchPlan.Syscall(Sys.prctl, "keep who lives there out of the set-up's memory", null, Linux.PR_SET_DUMPABLE, 0));
        Join(plan, joined, facts);
        if (facts.ReapsEverything)
        {
            plan.HasMonitor = plan.IsSupervised = true;
            SupervisionPlanner.Monitor(plan, made, watchHost: options.KillOnParentExit);
        }
        else if (forwards)
        {
            plan.HasForwarder = true;
            SupervisionPlanner.Forward(plan, made, plan.TableStep >= 0 ? TableAddress : 0);
        }
        else if (made != 0)
        {
            plan.Add(LaunchPlan.Syscall(Sys.unshare, "make the other namespaces", null, made));
        }

        if ((joined.Namespaces & Namespaces.Pid) == 0) return;
        plan.InnerProcessId = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.getpid, "ask for the number inside", null).To(plan.InnerProcessId.Value));
    }

    /// <summary>
    /// Where the kernel notes the child that is made later, so that there is no moment at which it exists and is not listed. The entry's place in the
    /// table is filled in once it is known: see <see cref="SetEntry"/>.
    /// </summary>
    private static void MapTable(LaunchPlan plan)
    {
        plan.TableStep = plan.Steps.Length;
        plan.Add(LaunchPlan.Syscall(Sys.mmap, "map the guard's table", null, TableAddress, TablePart, Linux.PROT_READ | Linux.PROT_WRITE,
            Linux.MAP_SHARED | Linux.MAP_FIXED_NOREPLACE, Argument.Handle(PlanHandle.Table), 0));
        plan.Add(LaunchPlan.Syscall(Sys.close, "close the guard's table", null, Argument.Handle(PlanHandle.Table)));
    }

    /// <param name="plan">A plan that maps the table.</param>
    /// <param name="offset">Of the entry in the table.</param>
    internal static void SetEntry(LaunchPlan plan, int offset)
    {
        plan.Steps[plan.TableStep].Values[5] = (ulong)(offset & ~(TablePart - 1));
        foreach (ref var step in plan.Steps)
            if (step.Kind == StepKind.Fork && step.Values[3] != 0) step.Values[3] = TableAddress + (ulong)(offset & TablePart - 1);
    }

    /// <summary>The host's supplementary groups, as long as they can be given up: inside it may be forbidden.</summary>
    private static void LeaveGroups(LaunchPlan plan, in HostFacts facts) =>
        plan.Add(LaunchPlan.Syscall(Sys.setgroups, "give up supplementary groups", null, 1, plan.Struct(facts.GroupId)));

    private static void Join(LaunchPlan plan, JoinedNamespaces joined, in HostFacts facts)
    {
        var flags = Flags(joined.Namespaces);
        if (flags == 0) return;
        if (joined.Kinds is not { } kinds)
        {
            // All or none, Linux 5.8.
            plan.Add(LaunchPlan.Syscall(Sys.setns, Label, joined.Name, Argument.Handle(PlanHandle.FirstJoined), flags));
            plan.Add(LaunchPlan.Syscall(Sys.close, "let go of what was joined", joined.Name, Argument.Handle(PlanHandle.FirstJoined)));
            return;
        }

        // An ordinary user has no rights over the others before they are in the user namespace that owns them; root has them only until then.
        var userFirst = !facts.Has(Linux.CAP_SYS_ADMIN);
        if (userFirst) One(Namespaces.User, isUser: true);
        One(~Namespaces.User, isUser: false);
        if (!userFirst) One(Namespaces.User, isUser: true);

        void One(Namespaces wanted, bool isUser)
        {
            for (var i = 0; i < kinds.Length; i++)
            {
                if ((kinds[i] & joined.Namespaces) == 0 || (kinds[i] == Namespaces.User) != isUser || (kinds[i] & wanted) == 0) continue;
                plan.Add(LaunchPlan.Syscall(Sys.setns, Label, kinds[i].ToString(), Argument.Handle(PlanHandle.FirstJoined + i), Flags(kinds[i])));
            }

            if (isUser == userFirst) return;
            for (var i = 0; i < kinds.Length; i++)
                plan.Add(LaunchPlan.Syscall(Sys.close, "let go of what was joined", kinds[i].ToString(), Argument.Handle(PlanHandle.FirstJoined + i)));
        }
    }

    private static ulong Flags(Namespaces namespaces) =>
        NamespacePlanner.CloneFlags(namespaces) | ((namespaces & Namespaces.Time) != 0 ? Linux.CLONE_NEWTIME : 0);
}
