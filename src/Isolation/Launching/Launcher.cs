using System.Runtime.InteropServices;
using Isolation.Interop;
using Isolation.Planning;
using Isolation.Supervision;

namespace Isolation.Launching;

/// <summary>Carries a plan out: descriptors, clone, the host's own steps. What follows is in <see cref="PendingLaunch"/>.</summary>
internal static unsafe class Launcher
{
    private const int Attempts = 16;

    private static bool s_legacy;

    /// <summary>For tests: clone(2) as if clone3 had answered ENOSYS.</summary>
    internal static bool ForceLegacyClone { get; set; }

    internal static PendingLaunch Begin(IsolationOptions options, LaunchMode mode = default, LaunchHooks? hooks = null)
    {
        options = JoinResolver.Resolve(options);
        OptionsValidator.Validate(options);
        var facts = Host.Facts(options);
        if (!Host.LacksMountSetattr || (options.MadeNamespaces & Namespaces.Mount) == 0) return Begin(options, facts, null, mode, hooks);
        for (var i = 0; i < Attempts; i++)
        {
            var mounts = MountTable.Read(options);
            try
            {
                var launch = Begin(options, facts with { Mounts = mounts.Mounts }, mounts, mode, hooks);
                if (!launch.MissedMounts) return launch;
                launch.Abandon();
            }
            catch
            {
                mounts.Dispose();
                throw;
            }
        }

        throw MountTable.Changed();
    }

    private static PendingLaunch Begin(IsolationOptions options, HostFacts facts, MountTable? mounts, LaunchMode mode, LaunchHooks? hooks)
    {
        var wiring = StandardStreams.Wiring(options, mode.Capture) with { HasStatus = mode.HasStatus };
        var entry = mode.Detached is { } name ? DetachedEntry.Create(name) : null;
        var arena = entry is null ? ArenaPool.Rent() : entry.MakeArena();
        var launch = new PendingLaunch(arena, options, mode, mounts, entry);
        try
        {
            if (MemoryExposure.IsCausedBy(options, facts)) launch.HideMemory();
            var prepared = launch.Prepare();
            if (prepared is { RootLacksMountPoints: true }) facts = facts with { RootLacksMountPoints = true };
            var plan = arena.Plan;
            Planner.Plan(plan, options, facts, wiring, new PlanVariant(mode.Suspended, entry?.Describe(options)));
            hooks?.Plan?.Invoke(plan);
            Span<int> handles = stackalloc int[PlanHandle.FirstInherited + wiring.InheritedNumbers.Length];
            handles.Fill(-1);
            launch.Open(wiring, handles);
            prepared?.Fill(handles);
            if (mounts is not null) handles[PlanHandle.Mounts] = mounts.Mounts.Descriptor;
            if (plan.HasMonitor) handles[PlanHandle.Host] = HostDescriptor.Value;
            if (options.Joined is { } joined) launch.OpenJoined(joined, handles);
            var listed = options.KillOnParentExit && !plan.HasMonitor;
            if (listed) launch.List(handles);
            arena.Encode(handles);
            // Nobody is told when the child has its copy, and the status pipe's write end must be closed here at once.
            var flags = plan.CloneFlags | (mode.HasStatus ? 0 : Linux.CLONE_FILES);
            var pid = Spawn(arena, flags, handles, listed ? ParentExitGuard.Address(launch.Slot) : null, out var pidfd);
            launch.Born(pid, pidfd);
            hooks?.Launched?.Invoke(launch);
            if (!plan.Forks) launch.RunHostSteps(); // else there is nobody yet to run them for
            return launch;
        }
        catch
        {
            launch.Abandon();
            throw;
        }
    }

    /// <summary>Clones; the child goes its way to the stage meanwhile.</summary>
    internal static int Spawn(LaunchArena arena, ulong flags, ReadOnlySpan<int> handles, uint* listed, out int pidfd)
    {
        var legacy = s_legacy || ForceLegacyClone;
        var pid = arena.Spawn(flags, handles, listed, legacy, out pidfd);
        if (pid == -(int)Errno.ENOSYS && !legacy)
        {
            s_legacy = true; // an outer sandbox hides clone3 so that it can look at the flags of clone
            pid = arena.Spawn(flags, handles, listed, true, out pidfd);
            legacy = true;
        }

        if (pid < 0) throw LaunchFailure.OfClone(-pid, flags, legacy);
        pidfd = Kernel.AboveStandard(pidfd);
        if (pidfd < 0)
        {
            _ = Kernel.kill(pid, Linux.SIGKILL);
            _ = Kernel.waitid(Linux.P_PID, pid, null, Linux.WEXITED | Linux.__WALL, null);
            throw LaunchFailure.Host("open a pidfd of the child", "pidfd_open", -pidfd);
        }

        return pid;
    }
}
