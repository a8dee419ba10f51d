using Isolation.Interop;
using Isolation.Launching;

namespace Isolation.Planning;

/// <summary>
/// Once the tree is there: who the user is by its own files, and the second user namespace. Two things need one: that nobody can make further
/// ones, and that an ordinary user's one id, mapped long before, gets the number that was looked up.
/// </summary>
internal static class IdentityPlanner
{
    /// <summary>More than any image has; the host's own may have more, but then needs no names.</summary>
    internal const int MaxFile = 128 * 1024;

    internal const int MaxGroups = 1024;
    internal const int MaxHome = 4096;

    /// <summary>
    /// The limit counts for the first namespace and all below it: the second is the one that there may be (user.max_user_namespaces,
    /// namespaces(7)). Before the tree becomes read-only.
    /// </summary>
    internal static void LimitNamespaces(LaunchPlan plan, IsolationOptions options)
    {
        if (!options.User.ForbidNestedUserNamespaces || (options.MadeNamespaces & Namespaces.User) == 0) return;
        plan.Enforced.ForbidsNestedUserNamespaces = true;
        const string path = "/proc/sys/user/max_user_namespaces", label = "limit user namespaces";
        const byte register = LaunchPlan.Scratch;
        plan.Add(LaunchPlan.Syscall(Sys.openat, label, path, Linux.AT_FDCWD, plan.Text(path), Linux.O_WRONLY | Linux.O_CLOEXEC).To(register));
        plan.Add(LaunchPlan.Syscall(Sys.write, label, path, Argument.Register(register), plan.Text("1"), 1));
        plan.Add(LaunchPlan.Syscall(Sys.close, label, path, Argument.Register(register)));
    }

    internal static void Settle(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        var chosen = new ChosenUser(options.User);
        var (users, groups) = (IdMap.OfUsers(options, facts), IdMap.OfGroups(options, facts));
        var question = chosen.Name is null ? null : LookUp(plan, options, chosen, users, groups);
        var forbids = options.User.ForbidNestedUserNamespaces;
        var renumbers = chosen.IsLookedUp && (users.Writer == MapWriter.Child || groups.Writer == MapWriter.Child);
        if (!forbids && !renumbers || (options.MadeNamespaces & Namespaces.User) == 0) return;
        if (!forbids)
            plan.Add(LaunchPlan.CheckRegister("is it another than root", null, question!.Renumbered, expected: 0, Errno.EEXIST).Tolerate(Errno.EEXIST).DoneSkips(1));
        plan.Add(LaunchPlan.Syscall(Sys.unshare, "make a second user namespace", null, Linux.CLONE_NEWUSER));
        plan.Ask("map the ids of the second user namespace", null, new SecondNamespaceQuestion(users, groups, chosen, question, always: forbids));
    }

    /// <summary>Reads what is needed of the tree's files of users and groups, and asks the host what it means.</summary>
    private static UserQuestion? LookUp(LaunchPlan plan, IsolationOptions options, in ChosenUser chosen, in IdMap users, in IdMap groups)
    {
        var name = chosen.Name!.Value;
        var wantsHome = !options.Environment.ContainsKey("HOME");
        if (!chosen.IsLookedUp && !wantsHome) return null;
        var question = new UserQuestion(name, users, groups) { Passwd = Read(plan, Users.UserFiles.Passwd) };
        if (chosen.IsLookedUp && name.GroupId is null) question.Groups = Read(plan, Users.UserFiles.Group);
        if (wantsHome)
        {
            plan.Home = plan.Buffer("HOME=".Length + MaxHome);
            question.Home = (int)plan.Home.Value.Value;
        }

        if (chosen.IsLookedUp)
        {
            plan.LookedUp = new LookedUpUser(plan.NewRegister(), plan.NewRegister(), plan.NewRegister(), plan.Buffer((MaxGroups + options.User.SupplementaryGroups.Count + 1) * sizeof(uint)));
            question.Result = plan.LookedUp;
            question.FurtherGroups = options.User.SupplementaryGroups;
            question.Renumbered = plan.NewRegister();
        }

        plan.Ask("look up the user", options.User.Name, question);
        return question;
    }

    /// <summary>
    /// Whatever is there must not stop the stage, nor be opened with effect: no link of /proc, no waiting for the other end of a pipe. What it was is
    /// for the host to judge.
    /// </summary>
    private static ReadFile Read(LaunchPlan plan, string path)
    {
        const byte register = LaunchPlan.Scratch;
        const string label = "read the sandbox's users";
        var status = plan.Buffer(256);
        var content = plan.Buffer(MaxFile);
        var more = plan.Buffer(8);
        var open = plan.Steps.Length;
        plan.Add(LaunchPlan.Syscall(Sys.openat2, label, path, Linux.AT_FDCWD, plan.Text(path),
                plan.Struct(new open_how { flags = Linux.O_RDONLY | Linux.O_CLOEXEC | Linux.O_NONBLOCK, resolve = Linux.RESOLVE_NO_MAGICLINKS }), 24)
            .To(register).Tolerate(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP, Errno.ENXIO));
        plan.Add(LaunchPlan.Syscall(Sys.statx, label, path, Argument.Register(register), plan.Text(""), Linux.AT_EMPTY_PATH, Linux.STATX_TYPE, status));
        plan.Add(LaunchPlan.Check(label, path, status, 28, 2, Linux.S_IFMT, Linux.S_IFREG, Errno.EINVAL).Tolerate(Errno.EINVAL).SkipNext(2));
        var read = plan.Steps.Length;
        plan.Add(LaunchPlan.Syscall(Sys.read, label, path, Argument.Register(register), content, MaxFile));
        plan.Add(LaunchPlan.Syscall(Sys.read, label, path, Argument.Register(register), more, 8));
        plan.Add(LaunchPlan.Syscall(Sys.close, label, path, Argument.Register(register)));
        plan.SkipsFrom(open + 1);
        return new ReadFile(path, open, read, (int)content.Value);
    }
}
