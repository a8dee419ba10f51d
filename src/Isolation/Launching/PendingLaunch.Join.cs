using Isolation.Interop;
using Isolation.Planning;
using Isolation.Supervision;
using Isolation.Users;

namespace Isolation.Launching;

// The parts of a start that have to do with joining namespaces, and with the process that makes the sandbox's first one and then ends.
internal sealed partial class PendingLaunch
{
    private int[] _joined = [];
    private bool _hasMetForwarded;

    /// <summary>Opens what is joined.</summary>
    internal void OpenJoined(JoinedNamespaces joined, Span<int> handles)
    {
        var places = handles.Slice(PlanHandle.FirstJoined, PlanHandle.MaxJoined);
        try
        {
            JoinResolver.Open(joined, handles);
        }
        finally
        {
            _joined = places.ToArray();
        }

        // From now on others must not come where this program could trace them.
        if ((joined.Namespaces & Namespaces.Pid) != 0 && options.Policy().MayTrace) joined.Source.Sandbox?.PidNamespace.LetTrace();
    }

    /// <summary>Lists the child with the parent-exit guard, and tells the plan where, if it is the child's child that has to stay there.</summary>
    internal void List(Span<int> handles)
    {
        var plan = Arena.Plan;
        Slot = ParentExitGuard.Rent(killGroup: (options.MadeNamespaces & Namespaces.Pid) == 0, plan.HasForwarder);
        if (plan.TableStep < 0) return;
        handles[PlanHandle.Table] = ParentExitGuard.TableDescriptor;
        JoinPlanner.SetEntry(plan, ParentExitGuard.Offset(Slot));
    }

    /// <summary>Whom the forwarder has made, or 0: by its own word, or where the kernel has noted it before anybody could run.</summary>
    private int Forwarded
    {
        get
        {
            if (Volatile.Read(ref Arena.Header.Child) is > 0 and var child) return child;
            return Arena.Plan.TableStep >= 0 && Slot >= 0 && ParentExitGuard.Listed(Slot) is var listed && listed != ProcessId ? listed : 0;
        }
    }

    private int InnerProcessId =>
        Arena.Plan.InnerProcessId is { } register ? (int)Arena.Header.Registers[register]
        : (options.MadeNamespaces & Namespaces.Pid) == 0 ? SandboxProcessId
        : options.UseInit ? 2 : 1;

    /// <summary>Who the program's user was found to be, where that was looked up.</summary>
    private FoundUser? FoundUser
    {
        get
        {
            foreach (var question in Arena.Plan.Questions)
                if (question is UserQuestion user) return user.Found;
            return null;
        }
    }

    /// <summary>Null for a PID namespace of its own, or the host's.</summary>
    private PidNamespaceMembers? PidNamespace =>
        options.Joined is { } joined && (joined.Namespaces & Namespaces.Pid) != 0 ? joined.Source.Sandbox?.PidNamespace : null;

    /// <summary>The child has made another one, ours as well, that goes on in its place; or has ended without.</summary>
    private void MeetForwarded()
    {
        var child = Forwarded;
        if (child == 0) throw Failure();
        var pidfd = Kernel.AboveStandard(Kernel.pidfd_open(child)); // not reaped, so it is the one
        if (pidfd < 0) throw LaunchFailure.Host("open a pidfd of the child", "pidfd_open", -pidfd);
        Replace(pidfd, child);
        if (Slot >= 0) ParentExitGuard.Complete(Slot);
        RunHostSteps();
        if (MissedMounts) throw MountTable.Changed();
    }

    /// <summary>The child's child takes its place. It has nothing left to do but to end, unless somebody keeps it from that.</summary>
    private unsafe void Replace(int pidfd, int child)
    {
        _ = Kernel.pidfd_send_signal(_pidfd, Linux.SIGKILL);
        _ = Kernel.waitid(Linux.P_PIDFD, _pidfd, null, Linux.WEXITED | Linux.__WALL, null);
        _ = Kernel.close(_pidfd);
        (_pidfd, ProcessId, _hasMetForwarded) = (pidfd, child, true);
    }

    /// <summary>When the start is undone before the two have been told apart.</summary>
    private unsafe void EndForwarder()
    {
        if (!Arena.Plan.HasForwarder || _hasMetForwarded) return;
        EndChild(_pidfd, ProcessId); // from here on it makes no child any more
        if (Forwarded is not (> 0 and var child)) return;
        var pidfd = Kernel.AboveStandard(Kernel.pidfd_open(child));
        if (pidfd >= 0)
        {
            Replace(pidfd, child);
            return;
        }

        // Without a descriptor left: it is ours until it is reaped, and so is its number.
        _ = Kernel.kill(-child, Linux.SIGKILL);
        _ = Kernel.kill(child, Linux.SIGKILL);
        ReleaseSlot();
        _ = Kernel.waitid(Linux.P_PID, child, null, Linux.WEXITED | Linux.__WALL, null);
    }

    private void CloseJoined()
    {
        foreach (var fd in _joined)
            if (fd >= 0) _ = Kernel.close(fd);
        _joined = [];
    }
}
