using Isolation.Interop;
using Isolation.Stage;

namespace Isolation.Planning;

/// <summary>
/// Turns options into a plan: the order of the concerns, each of which has a planner of its own.
/// The order matters: what needs no mapped user first, so that it overlaps with the host writing the maps; everything that
/// needs privilege before it is given up; the signal mask and execve last.
/// </summary>
internal static class Planner
{
    internal static void Plan(LaunchPlan plan, IsolationOptions options, in HostFacts facts, in DescriptorWiring wiring, in PlanVariant variant = default)
    {
        plan.Clear();
        var outlives = variant.Detached is not null;
        if (variant.Detached is { } record) DetachedPlanner.Record(plan, record);
        var namespaces = options.MadeNamespaces;
        var flags = NamespacePlanner.CloneFlags(namespaces);
        plan.Restrictions = facts.Mounts is { } mounts ? new Restrictions(mounts, skipsUnreachable: UserPlanner.StaysTheSame(options, facts)) : null;
        var capabilities = PlannedCapabilities.Of(options, facts);
        plan.CarriedCapabilities = SecurityPlanner.Carried(options, capabilities, facts);
        plan.Landlock = facts.Landlock;
        plan.Enforced = EnforcementRecord.Begin(options, facts, capabilities);
        ExecutionPlanner.ExecStageWithFixedAddresses(plan, options, facts, becomesMonitor: facts.ReapsEverything || outlives);
        if (options.Joined is { } joined)
        {
            JoinPlanner.Begin(plan, options, joined, facts);
        }
        else if (facts.ReapsEverything || outlives)
        {
            plan.HasMonitor = plan.IsSupervised = true;
            if (outlives) DetachedPlanner.Introduce(plan);
            SupervisionPlanner.Monitor(plan, flags, watchHost: options.KillOnParentExit || outlives);
        }
        else
        {
            plan.CloneFlags = flags;
        }

        ExecutionPlanner.SetPersonality(plan, options, facts);
        UserPlanner.Map(plan, options, facts);
        SupervisionPlanner.NewSession(plan);
        plan.Add(LaunchPlan.Syscall(Sys.umask, "clear the umask for the set-up", null, 0));
        // Before the tree becomes read-only: a /proc that stays the host's does, too.
        if (options.Joined is null) LimitPlanner.AdjustOomScore(plan, options);
        if ((namespaces & Namespaces.Time) != 0) NamespacePlanner.EnterTime(plan, options);
        IdentityPlanner.LimitNamespaces(plan, options);
        var hasMount = (namespaces & Namespaces.Mount) != 0;
        var root = default((byte, byte));
        if (hasMount)
        {
            RestrictionPlanner.Begin(plan);
            MountPlanner.Take(plan, options);
            root = RootPlanner.Take(plan, options, facts);
            RootPlanner.Own(plan, options);
        }

        NamespacePlanner.Names(plan, options);
        if ((namespaces & Namespaces.Network) != 0) NetworkPlanner.RaiseLoopback(plan);
        if (hasMount) RootPlanner.TakeDevices(plan, options);
        if (plan.HasHostSteps)
            plan.Add(LaunchPlan.Make(StepKind.AwaitHost, 0, "wait for the host's steps", null));
        UserPlanner.BecomeSomebody(plan, options, facts);
        if (hasMount)
        {
            MountPlanner.Make(plan, options);
            plan.FirstPlacement = plan.Steps.Length;
            if (!options.Filesystem.Root.IsHost) RootPlanner.Enter(plan, options, facts, root);
            MountPlanner.PlaceAll(plan, options, facts);
            RestrictionPlanner.End(plan);
        }

        IdentityPlanner.Settle(plan, options, facts);
        KeyringPlanner.Renew(plan, options, facts);
        SecurityPlanner.NoNewPrivileges(plan, options, capabilities, facts);
        SeccompPlanner.FilterEarly(plan, options);
        UserPlanner.Become(plan, options, facts);
        // Where fs.suid_dumpable is 1, a change of ids undoes it.
        if (options.Joined is not null) SupervisionPlanner.Shield(plan);
        TerminalPlanner.Open(plan, options);
        ExecutionPlanner.EnterDirectory(plan, options);
        LimitPlanner.Set(plan, options);
        SchedulingPlanner.Set(plan, options);
        SecurityPlanner.SettleCapabilities(plan, options, capabilities);
        if (plan.HasMonitor && (options.KillOnParentExit || outlives)) SupervisionPlanner.DieWithMonitor(plan);
        if (options.UseInit)
        {
            plan.IsSupervised = true;
            SupervisionPlanner.Shield(plan);
            SupervisionPlanner.Init(plan);
        }

        TerminalPlanner.MakeControlling(plan, options);
        SupervisionPlanner.ResetSignals(plan, facts);
        DescriptorPlanner.Wire(plan, wiring);
        plan.Add(LaunchPlan.Syscall(Sys.umask, "set the umask", null, options.Umask));
        LandlockPlanner.Restrict(plan, options);
        LimitPlanner.SetOpenFiles(plan, options);
        // The filter is part of what can be done before, unless it forbids to wait.
        var waitsUnfiltered = variant.Suspended && SeccompPlanner.Compile(options) is { MayWait: false };
        if (waitsUnfiltered) SupervisionPlanner.Suspend(plan);
        SeccompPlanner.FilterLate(plan, options);
        if (variant.Suspended && !waitsUnfiltered) SupervisionPlanner.Suspend(plan);
        ExecutionPlanner.Execute(plan, options);
    }
}
