using System.Globalization;
using System.Runtime.InteropServices;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>user_namespaces(7): the id maps, and the ids the program runs under.</summary>
internal static class UserPlanner
{
    /// <summary>The maps. What the child cannot write itself, the host does, or has it done, meanwhile.</summary>
    internal static void Map(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        if ((options.MadeNamespaces & Namespaces.User) == 0) return;
        var (users, groups) = (IdMap.OfUsers(options, facts), IdMap.OfGroups(options, facts));
        var chosen = new ChosenUser(options.User);
        // An unprivileged gid_map needs setgroups denied first: a group may stand for a denial (CVE-2014-8989).
        if (groups.Writer == MapWriter.Child) Write(plan, "deny setgroups", "/proc/self/setgroups", "deny");
        Map(plan, users, "map the user ids", "uid_map", "newuidmap", chosen.UserId ?? 0);
        Map(plan, groups, "map the group ids", "gid_map", "newgidmap", chosen.GroupId ?? 0);
    }

    /// <summary>Once there are maps: the ids of the set-up, where those that the child was born with do not exist inside.</summary>
    internal static void BecomeSomebody(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        if (IdMap.OfGroups(options, facts).SetUpId is { } gid) plan.Add(SetGroup("become a group of the user namespace", gid));
        if (IdMap.OfUsers(options, facts).SetUpId is { } uid) plan.Add(SetUser("become a user of the user namespace", uid));
    }

    /// <summary>Switches to the chosen ids. Where the map is the child's own, it is the chosen id already.</summary>
    internal static void Become(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        var chosen = new ChosenUser(options.User);
        var (users, groups) = (IdMap.OfUsers(options, facts), IdMap.OfGroups(options, facts));
        var others = options.User.SupplementaryGroups;
        if (((options.Joined?.Namespaces ?? 0) & Namespaces.User) != 0)
        {
            BecomeInside(plan, options.User, chosen);
            return;
        }

        // The host's supplementary groups stay behind whenever they can be given up: by root with or without a namespace.
        var mayChangeGroups = MayChangeGroups(groups, facts);
        if (!mayChangeGroups && others.Count > 0) throw NoGroups(groups, facts);
        if (plan.LookedUp is { } found)
        {
            Become(plan, found, options.User.Name, mayChangeGroups, groups.Writer != MapWriter.Child, users.Writer != MapWriter.Child);
            return;
        }

        if (mayChangeGroups) SetGroups(plan, chosen.GroupId ?? (groups.Writer == MapWriter.Nobody ? facts.GroupId : 0), others);
        if (groups.Writer != MapWriter.Child && chosen.GroupId is { } gid) plan.Add(SetGroup("become the group", gid));
        if (users.Writer != MapWriter.Child && chosen.UserId is { } uid) plan.Add(SetUser("become the user", uid));
    }

    /// <summary>
    /// In a user namespace that is there already, and may be anybody's: nothing is left as it is, and who does not exist there is nobody. The host's
    /// supplementary groups have been given up before, where that was possible.
    /// </summary>
    private static void BecomeInside(LaunchPlan plan, UserOptions user, in ChosenUser chosen)
    {
        if (plan.LookedUp is { } found)
        {
            var first = plan.Steps.Length;
            Become(plan, found, user.Name, groups: true, group: true, user: true);
            if (user.SupplementaryGroups.Count == 0) plan.Steps[first] = plan.Steps[first].Tolerate(Errno.EPERM);
            return;
        }

        var groups = plan.Steps.Length;
        SetGroups(plan, chosen.GroupId ?? 0, user.SupplementaryGroups);
        // An ordinary user's namespace, where nobody can change them.
        if (user.SupplementaryGroups.Count == 0) plan.Steps[groups] = plan.Steps[groups].Tolerate(Errno.EPERM);
        plan.Add(SetGroup("become the group", chosen.GroupId ?? 0));
        plan.Add(SetUser("become the user", chosen.UserId ?? 0));
    }

    /// <summary>The same with what the host has found out meanwhile.</summary>
    private static void Become(LaunchPlan plan, in LookedUpUser found, string? name, bool groups, bool group, bool user)
    {
        var (gid, uid) = (Argument.Register(found.Group), Argument.Register(found.User));
        if (groups) plan.Add(LaunchPlan.Syscall(Sys.setgroups, "set the supplementary groups", name, Argument.Register(found.GroupCount), found.Groups));
        if (group) plan.Add(LaunchPlan.Syscall(Sys.setresgid, "become the group", name, gid, gid, gid));
        if (user) plan.Add(LaunchPlan.Syscall(Sys.setresuid, "become the user", name, uid, uid, uid));
    }

    /// <summary>Whoever the program is inside, to the host it is who the stage is: nobody else is mapped.</summary>
    internal static bool StaysTheSame(IsolationOptions options, in HostFacts facts) =>
        IdMap.OfUsers(options, facts).Writer == MapWriter.Child && IdMap.OfGroups(options, facts).Writer == MapWriter.Child;

    private static bool MayChangeGroups(in IdMap groups, in HostFacts facts) => groups.Writer switch
    {
        MapWriter.Child => false,
        MapWriter.Nobody => facts.Has(Linux.CAP_SETGID) && !facts.DeniesSetgroups,
        _ => !facts.DeniesSetgroups,
    };

    /// <summary>
    /// With the program's own group among them, which it then cannot get rid of by becoming another with a set-group-ID file: a group may
    /// stand for a denial (CVE-2022-2989).
    /// </summary>
    private static void SetGroups(LaunchPlan plan, uint group, IList<uint> others)
    {
        Span<uint> groups = others.Count < 64 ? stackalloc uint[others.Count + 1] : new uint[others.Count + 1];
        groups[0] = group;
        for (var i = 0; i < others.Count; i++) groups[i + 1] = others[i];
        plan.Add(LaunchPlan.Syscall(Sys.setgroups, others.Count == 0 ? "give up supplementary groups" : "set the supplementary groups", null,
            groups.Length, plan.Bytes(MemoryMarshal.AsBytes(groups))));
    }

    private static ArgumentException NoGroups(in IdMap groups, in HostFacts facts) => UserValidator.Invalid(
        facts.DeniesSetgroups ? "has supplementary groups, which may not be changed in the user namespace of this process"
        : groups.Writer == MapWriter.Nobody ? "has supplementary groups, which takes CAP_SETGID to set"
        : "has supplementary groups, for which an ordinary user needs a GroupMap with subordinate ids (MapSubordinateIds)");

    private static Step SetGroup(string label, uint gid) =>
        LaunchPlan.Syscall(Sys.setresgid, label, gid.ToString(CultureInfo.InvariantCulture), gid, gid, gid);

    private static Step SetUser(string label, uint uid) =>
        LaunchPlan.Syscall(Sys.setresuid, label, uid.ToString(CultureInfo.InvariantCulture), uid, uid, uid);

    private static void Map(LaunchPlan plan, in IdMap map, string label, string file, string helper, uint alone)
    {
        switch (map.Writer)
        {
            case MapWriter.Host:
                var content = map.Text(alone);
                plan.Add(LaunchPlan.Make(StepKind.HostWrite, Sys.write, label, file, plan.Text(file), plan.Text(content), content.Length));
                break;
            case MapWriter.Helper:
                plan.Add(LaunchPlan.Make(StepKind.HostRun, Sys.execve, label, helper, plan.Text(helper), plan.Text(map.Text(alone, ' ').TrimEnd())));
                break;
            case MapWriter.Child:
                Write(plan, label, "/proc/self/" + file, map.Text(alone));
                break;
        }
    }

    private static void Write(LaunchPlan plan, string label, string path, string content)
    {
        var register = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.openat, label, path, Linux.AT_FDCWD, plan.Text(path), Linux.O_WRONLY | Linux.O_CLOEXEC).To(register));
        plan.Add(LaunchPlan.Syscall(Sys.write, label, path, Argument.Register(register), plan.Text(content), content.Length));
        // A mount with a file open for writing cannot be made read-only.
        plan.Add(LaunchPlan.Syscall(Sys.close, label, path, Argument.Register(register)));
    }
}
