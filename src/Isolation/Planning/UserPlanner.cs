using System.Globalization;
using System.Runtime.CompilerServices;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>user_namespaces(7): the id maps, and the ids the program runs under.</summary>
internal static class UserPlanner
{
    /// <summary>
    /// With CAP_SETUID and CAP_SETGID the host writes an identity map of every id there is; a map of more than one's own
    /// id must be written from the parent namespace. Otherwise the child maps the chosen id to the host's own, itself.
    /// </summary>
    internal static void Map(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        if ((options.Namespaces & Namespaces.User) == 0) return;
        if (CanMapEverything(facts))
        {
            HostWrite(plan, "map the user ids", "uid_map", facts.UserMap);
            HostWrite(plan, "map the group ids", "gid_map", facts.GroupMap);
            return;
        }

        // An unprivileged gid_map needs setgroups denied first: a group may stand for a denial (CVE-2014-8989).
        Write(plan, "deny setgroups", "/proc/self/setgroups", "deny");
        Write(plan, "map the user id", "/proc/self/uid_map", string.Create(CultureInfo.InvariantCulture, $"{options.User.UserId ?? 0} {facts.UserId} 1\n"));
        Write(plan, "map the group id", "/proc/self/gid_map", string.Create(CultureInfo.InvariantCulture, $"{options.User.GroupId ?? 0} {facts.GroupId} 1\n"));
    }

    /// <summary>Switches to the chosen ids. Where the map is the child's own, it is the chosen id already.</summary>
    internal static void Become(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        var user = options.User;
        var inNamespace = (options.Namespaces & Namespaces.User) != 0;
        if (inNamespace && !CanMapEverything(facts)) return;
        // The host's supplementary groups stay behind whenever they can be given up: by root with or without a namespace.
        if ((inNamespace || facts.Has(Linux.CAP_SETGID)) && !facts.DeniesSetgroups)
            plan.Add(LaunchPlan.Syscall(Sys.setgroups, "give up supplementary groups", null, 0, 0));
        if (user.GroupId is { } gid)
            plan.Add(LaunchPlan.Syscall(Sys.setresgid, "become the group", gid.ToString(CultureInfo.InvariantCulture), gid, gid, gid));
        if (user.UserId is { } uid)
            plan.Add(LaunchPlan.Syscall(Sys.setresuid, "become the user", uid.ToString(CultureInfo.InvariantCulture), uid, uid, uid));
    }

    /// <summary>Whoever the program is inside, to the host it is who the stage is: nobody else is mapped.</summary>
    internal static bool StaysTheSame(IsolationOptions options, in HostFacts facts) =>
        (options.Namespaces & Namespaces.User) != 0 && !CanMapEverything(facts);

    private static bool CanMapEverything(in HostFacts facts) => facts.Has(Linux.CAP_SETUID) && facts.Has(Linux.CAP_SETGID);

    private static void HostWrite(LaunchPlan plan, string label, string file, string content) =>
        plan.Add(LaunchPlan.Make(StepKind.HostWrite, Sys.write, label, file, plan.Text(file), plan.Text(content), content.Length));

    private static void Write(LaunchPlan plan, string label, string path, string content)
    {
        var register = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.openat, label, path, Linux.AT_FDCWD, plan.Text(path), Linux.O_WRONLY | Linux.O_CLOEXEC).To(register));
        plan.Add(LaunchPlan.Syscall(Sys.write, label, path, Argument.Register(register), plan.Text(content), content.Length));
        // A mount with a file open for writing cannot be made read-only.
        plan.Add(LaunchPlan.Syscall(Sys.close, label, path, Argument.Register(register)));
    }
}
