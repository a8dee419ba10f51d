using System.Globalization;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>
/// The stage has made a second user namespace inside the first. Its maps can be written by a process of the first only, and not by one that has left
/// it: by another stage, which joins the first for that. It has an address space of its own and holds nothing but the namespace.
/// </summary>
/// <param name="users">How the first got its user ids.</param>
/// <param name="groups">How the first got its group ids.</param>
/// <param name="chosen">Who the program is to be, as far as was known.</param>
/// <param name="lookUp">Who it is, where that was looked up.</param>
/// <param name="always">There is a second namespace even for who keeps the number.</param>
internal sealed class SecondNamespaceQuestion(IdMap users, IdMap groups, ChosenUser chosen, UserQuestion? lookUp, bool always) : HostQuestion
{
    private const string Label = "map the ids of the second user namespace";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10); // takes well below a millisecond

    internal override void Answer(IWaitingStage stage)
    {
        var found = chosen.IsLookedUp ? lookUp!.Found : default;
        if (!always && found is { UserId: 0, GroupId: 0 }) return;
        var (user, group) = (chosen.UserId ?? 0, chosen.GroupId ?? 0);
        var userText = users.InnerText(chosen.IsLookedUp ? found.UserId : user, user);
        var groupText = groups.InnerText(chosen.IsLookedUp ? found.GroupId : group, group);
        Write(Host.NumberInProc(stage.ProcessId, stage.Pidfd), userText, groupText);
    }

    private static unsafe void Write(int pid, string users, string groups)
    {
        var first = Open(pid);
        var arena = ArenaPool.Rent();
        var (pidfd, slot) = (-1, -1);
        try
        {
            Span<int> handles = stackalloc int[PlanHandle.FirstInherited];
            handles.Fill(-1);
            handles[PlanHandle.FirstPrepared] = first;
            Plan(arena.Plan, pid, users, groups);
            arena.Encode(handles);
            slot = ParentExitGuard.Rent(killGroup: false);
            _ = Launcher.Spawn(arena, 0, handles, ParentExitGuard.Address(slot), out pidfd);
            ParentExitGuard.Complete(slot);
            Span<pollfd> wait = [new pollfd { fd = pidfd, events = Linux.POLLIN }];
            if (Kernel.poll(wait, s_limit) == 0) throw LaunchFailure.Host(Label, null, (int)Errno.ETIMEDOUT);
            if (arena.SpawnError < 0 || arena.Header.Failed >= 0 || arena.Header.Current + 1 < arena.Plan.Steps.Length) throw LaunchFailure.OfStage(arena, null);
        }
        finally
        {
            if (pidfd >= 0)
            {
                _ = Kernel.pidfd_send_signal(pidfd, Linux.SIGKILL);
                Span<pollfd> end = [new pollfd { fd = pidfd, events = Linux.POLLIN }];
                _ = Kernel.poll(end, null);
            }

            if (slot >= 0) ParentExitGuard.Return(slot);
            if (pidfd >= 0)
            {
                _ = Kernel.waitid(Linux.P_PIDFD, pidfd, null, Linux.WEXITED | Linux.__WALL, null);
                _ = Kernel.close(pidfd);
            }

            ArenaPool.Return(arena);
            _ = Kernel.close(first);
        }
    }

    /// <summary>A descriptor of the first namespace: the parent of that which the stage is in. ioctl_ns(2).</summary>
    private static int Open(int pid)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/user");
        var second = Kernel.open(path, Linux.O_RDONLY);
        if (second < 0) throw LaunchFailure.Host(Label, "openat", -second, path);
        var first = Kernel.AboveStandard((int)Kernel.ioctl(second, Linux.NS_GET_PARENT, 0));
        _ = Kernel.close(second);
        return first >= 0 ? first : throw LaunchFailure.Host(Label, "ioctl", -first, path);
    }

    private static void Plan(LaunchPlan plan, int pid, string users, string groups)
    {
        plan.Clear();
        plan.Add(LaunchPlan.Syscall(Sys.setns, "join the first user namespace", null, Argument.Handle(PlanHandle.FirstPrepared), Linux.CLONE_NEWUSER));
        Write("uid_map", users);
        Write("gid_map", groups);
        plan.Add(LaunchPlan.Syscall(Sys.exit_group, "end", null, 0));

        void Write(string file, string content)
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{file}");
            const byte register = LaunchPlan.Scratch;
            plan.Add(LaunchPlan.Syscall(Sys.openat, Label, path, Linux.AT_FDCWD, plan.Text(path), Linux.O_WRONLY | Linux.O_CLOEXEC).To(register));
            plan.Add(LaunchPlan.Syscall(Sys.write, Label, path, Argument.Register(register), plan.Text(content), content.Length));
        }
    }
}
