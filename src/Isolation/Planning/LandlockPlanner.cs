using Isolation.Interop;
using Isolation.Stage;

namespace Isolation.Planning;

/// <summary>
/// landlock(7): after everything that mounts, which Landlock forbids, and after no_new_privs, without which it needs CAP_SYS_ADMIN. The ruleset is
/// close-on-exec, as the kernel makes it.
/// </summary>
internal static class LandlockPlanner
{
    internal const string Find = "find a path that Landlock is to allow";
    internal const string Enforce = "restrict the program with Landlock";

    private const int Executable = 1; // X_OK

    // Two struct landlock_path_beneath_attr in the registers: a mask and, in the register after it, a descriptor. One for
    // anything, and one with the rights that files have, for what turns out to be no folder.
    private readonly record struct Registers(byte Ruleset, byte Mover, byte Access, byte Place, byte FileAccess, byte FilePlace);

    internal static void Restrict(LaunchPlan plan, IsolationOptions options)
    {
        if (plan.Landlock is not { IsEnforced: true } report) return;
        var policy = options.Security.Landlock!;
        var ruleset = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.landlock_create_ruleset, "make a Landlock ruleset", null, plan.Struct(new landlock_ruleset_attr
        {
            handled_access_fs = (ulong)report.HandledAccess, handled_access_net = (ulong)report.HandledNetworkAccess, scoped = (ulong)report.Scopes,
        }), 24, 0).To(ruleset));
        var rules = policy.RulesFor(report);
        AllowPaths(plan, rules.Paths, ruleset);
        foreach (var port in rules.Ports) AllowPort(plan, ruleset, port);
        plan.Add(LaunchPlan.Syscall(Sys.landlock_restrict_self, Enforce, null, Argument.Register(ruleset), (uint)report.Log));
    }

    private static void AllowPaths(LaunchPlan plan, LandlockRules.PathGroup[] groups, byte ruleset)
    {
        if (groups.Length == 0) return;
        var registers = new Registers(ruleset, plan.NewRegister(), plan.NewRegister(), plan.NewRegister(), plan.NewRegister(), plan.NewRegister());
        plan.Add(LaunchPlan.Syscall(Sys.eventfd2, "make a counter that carries numbers into registers", null, 0, Linux.O_CLOEXEC | Linux.O_NONBLOCK)
            .To(registers.Mover));
        foreach (var group in groups)
        {
            var ofFiles = group.Access & LandlockAbi.OfFiles;
            var hasTwo = ofFiles != 0 && ofFiles != group.Access;
            SetAccess(plan, registers.Mover, registers.Access, group.Access, group.Label);
            if (hasTwo) SetAccess(plan, registers.Mover, registers.FileAccess, ofFiles, group.Label);
            foreach (var rule in group.Rules) Allow(plan, registers, rule, hasTwo);
        }
    }

    private static void Allow(LaunchPlan plan, in Registers registers, LandlockPathRule rule, bool hasTwo)
    {
        // Not by links of /proc: the set-up holds folders that are covered by now, to which they lead.
        var find = LaunchPlan.Syscall(Sys.openat2, Find, rule.Path, Linux.AT_FDCWD, plan.Text(rule.Path),
            plan.Struct(new open_how { flags = Linux.O_PATH | Linux.O_CLOEXEC, resolve = Linux.RESOLVE_NO_MAGICLINKS }), 24).To(registers.Place);
        plan.Add(rule.IgnoreMissing ? find.Tolerate(Errno.ENOENT, Errno.ENOTDIR) : find);
        var first = plan.Steps.Length;
        if (hasTwo)
        {
            plan.Add(Add(registers.Ruleset, registers.Access, rule.Path).Tolerate(Errno.EINVAL));
            var second = plan.Steps.Length;
            plan.Add(LaunchPlan.Syscall(Sys.fcntl, "it is no folder: allow what files have", rule.Path, Argument.Register(registers.Place), Linux.F_DUPFD_CLOEXEC, 3)
                .To(registers.FilePlace));
            plan.Add(Add(registers.Ruleset, registers.FileAccess, rule.Path));
            plan.Add(Close(registers.FilePlace, rule.Path));
            plan.DoneSkipsFrom(second);
        }
        else
        {
            plan.Add(Add(registers.Ruleset, registers.Access, rule.Path));
        }

        // One at a time: there may be more paths than the program may have descriptors.
        plan.Add(Close(registers.Place, rule.Path));
        if (rule.IgnoreMissing) plan.SkipsFrom(first);
    }

    private static void AllowPort(LaunchPlan plan, byte ruleset, LandlockRules.Port port) =>
        // EAFNOSUPPORT: a kernel without TCP, where there is nothing to allow.
        plan.Add(LaunchPlan.Syscall(Sys.landlock_add_rule, "allow a TCP port", port.Name, Argument.Register(ruleset), Linux.LANDLOCK_RULE_NET_PORT,
            plan.Struct(new landlock_net_port_attr { allowed_access = (ulong)port.Rule.Access, port = (ulong)port.Rule.Port }), 0).Tolerate(Errno.EAFNOSUPPORT));

    /// <summary>access(2) knows nothing of Landlock: what is executable for it and is not executed, Landlock refuses.</summary>
    internal static Step ProbeAccess(string path, Argument text) =>
        LaunchPlan.Syscall(Sys.faccessat2, "look at the program", path, Linux.AT_FDCWD, text, Executable, Linux.AT_EACCESS)
            .Tolerate(Errno.EACCES, Errno.ENOENT, Errno.ENOTDIR, Errno.EPERM);

    private static Step Add(byte ruleset, byte access, string path) =>
        LaunchPlan.Syscall(Sys.landlock_add_rule, "allow a path", path, Argument.Register(ruleset), Linux.LANDLOCK_RULE_PATH_BENEATH, StageFormat.RegisterPointer(access), 0);

    private static Step Close(byte place, string path) => LaunchPlan.Syscall(Sys.close, "let go of the path", path, Argument.Register(place));

    /// <summary>A number into a register: only results of calls get there by themselves, and a counter gives back what it was given.</summary>
    private static void SetAccess(LaunchPlan plan, byte mover, byte register, LandlockAccess access, string label)
    {
        plan.Add(LaunchPlan.Syscall(Sys.write, label, null, Argument.Register(mover), plan.Struct((ulong)access), 8));
        plan.Add(LaunchPlan.Syscall(Sys.read, label, null, Argument.Register(mover), StageFormat.RegisterPointer(register), 8));
    }
}
