using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Isolation.Interop;
using Isolation.Stage;

namespace Isolation.Planning;

/// <summary>Prints a plan in the manner of strace: one step a line, with what it is for beside it.</summary>
internal static class PlanPrinter
{
    private const int LabelColumn = 88;

    internal static string Print(LaunchPlan plan)
    {
        var text = new StringBuilder();
        text.Append("host: clone3(").Append(CloneFlags(plan.CloneFlags | Linux.CLONE_VM | Linux.CLONE_FILES | Linux.CLONE_PIDFD)).Append(")\n");
        var steps = plan.Steps;
        for (var i = 0; i < steps.Length; i++)
        {
            var start = text.Length;
            Append(text, plan, steps[i]);
            text.Append(' ', Math.Max(1, LabelColumn - (text.Length - start))).Append("# ").Append(steps[i].Label).Append('\n');
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, LaunchPlan plan, in Step step)
    {
        switch (step.Kind)
        {
            case StepKind.HostWrite:
                text.Append("host: write /proc/PID/").Append(Text(plan, step.Values[0])).Append(' ').Append(Quote(Text(plan, step.Values[1])));
                return;
            case StepKind.HostRun:
                text.Append("host: run ").Append(Text(plan, step.Values[0])).Append(" PID ").Append(Text(plan, step.Values[1]));
                return;
            case StepKind.Check:
                text.Append("check (u").Append(step.Values[1] * 8);
                if (step.Kinds[0] == ArgumentKind.Bytes) text.Append(" at data+").Append(step.Values[0]);
                else text.Append(" of r").Append((step.Values[0] - StageFormat.RegisterPointer(0)) / 8);
                text.Append(" & 0x")
                    .Append(step.Values[2].ToString("x", CultureInfo.InvariantCulture)).Append(") == 0x").Append(step.Values[3].ToString("x", CultureInfo.InvariantCulture))
                    .Append(" or ").Append((Errno)step.Values[4]);
                return;
            case StepKind.AwaitHost:
                text.Append("await host");
                return;
            case StepKind.AskHost:
                text.Append("ask host (").Append(step.Values[0]).Append(')');
                return;
            case StepKind.Fork:
                text.Append("fork(").Append(CloneFlags(step.Values[0])).Append((step.Values[1] & StageFormat.SuperviseLeave) != 0 ? ") and leave" : ") and supervise");
                return;
            case StepKind.Store:
                text.Append("data+").Append(step.Values[0]).Append(" = ");
                AppendArgument(text, plan, step, 1);
                return;
            case StepKind.KillListed:
                text.Append("kill every listed process");
                return;
        }

        if (step.Out != StageFormat.NoRegister) text.Append('r').Append(step.Out).Append(" = ");
        text.Append(step.Call).Append('(');
        var last = 5;
        while (last >= 0 && last != step.RepeatArgument && step.Kinds[last] == ArgumentKind.Number && step.Values[last] == 0) last--;
        for (var i = 0; i <= last; i++)
        {
            if (i > 0) text.Append(", ");
            AppendArgument(text, plan, step, i);
        }

        text.Append(')');
        if (step.SkipDone != 0) text.Append(" then skip ").Append(step.SkipDone);
        if (step.ToleratedErrnos == 0) return;
        text.Append(" or");
        for (var rest = step.ToleratedErrnos; rest != 0; rest >>= 16) text.Append(' ').Append((Errno)(rest & 0xffff));
        if (step.Skip != 0) text.Append(" skips ").Append(step.Skip);
    }

    private static void AppendArgument(StringBuilder text, LaunchPlan plan, in Step step, int index)
    {
        var value = step.Values[index];
        switch (step.Kinds[index])
        {
            case ArgumentKind.Text:
                text.Append(Quote(Text(plan, value)));
                break;
            case ArgumentKind.Bytes:
                text.Append("&data+").Append(value);
                break;
            case ArgumentKind.Strings:
                AppendStrings(text, plan, value);
                break;
            case ArgumentKind.Register:
                text.Append('r').Append(value);
                break;
            case ArgumentKind.Handle:
                text.Append(PlanHandle.Name((int)value));
                break;
            default:
                if (step.RepeatArgument == index) text.Append(value).Append("..").Append(step.RepeatLast);
                else text.Append(Number(step.Call, index, value));
                break;
        }
    }

    private static string Number(Sys call, int index, ulong value) => (call, index) switch
    {
        (Sys.openat or Sys.openat2 or Sys.open_tree or Sys.mount_setattr or Sys.statx or Sys.mknodat or Sys.mkdirat, 0) or (Sys.symlinkat, 1) or (Sys.move_mount, 2)
            when (int)value == Linux.AT_FDCWD => "AT_FDCWD",
        (Sys.mount, 3) => Flags(value, s_mountFlags),
        (Sys.openat, 2) => Flags(value, s_openFlags, "O_RDONLY"),
        (Sys.open_tree, 2) => Flags(value, s_openTreeFlags),
        (Sys.unshare, 0) or (Sys.setns, 1) => CloneFlags(value),
        (Sys.mount_setattr, 2) => Flags(value, s_atFlags),
        (Sys.move_mount, 4) => Flags(value, s_moveFlags),
        (Sys.umount2, 1) when value == 2 => "MNT_DETACH",
        (Sys.fsconfig, 1) => (int)value switch
        {
            Linux.FSCONFIG_SET_FLAG => "FSCONFIG_SET_FLAG", Linux.FSCONFIG_SET_STRING => "FSCONFIG_SET_STRING", Linux.FSCONFIG_CMD_CREATE => "FSCONFIG_CMD_CREATE",
            _ => value.ToString(CultureInfo.InvariantCulture),
        },
        (Sys.fsopen, 1) or (Sys.fsmount, 1) => Flags(value, s_fsFlags),
        (Sys.fsmount, 2) => Flags(value, s_mountAttributes),
        (Sys.prctl, 0) => value switch
        {
            Linux.PR_SET_PDEATHSIG => "PR_SET_PDEATHSIG", Linux.PR_SET_DUMPABLE => "PR_SET_DUMPABLE", Linux.PR_SET_KEEPCAPS => "PR_SET_KEEPCAPS", Linux.PR_SET_NAME => "PR_SET_NAME",
            Linux.PR_CAPBSET_DROP => "PR_CAPBSET_DROP", Linux.PR_SET_SECUREBITS => "PR_SET_SECUREBITS",
            Linux.PR_SET_NO_NEW_PRIVS => "PR_SET_NO_NEW_PRIVS", Linux.PR_CAP_AMBIENT => "PR_CAP_AMBIENT", _ => value.ToString(CultureInfo.InvariantCulture),
        },
        (Sys.landlock_add_rule, 1) => value == Linux.LANDLOCK_RULE_PATH_BENEATH ? "LANDLOCK_RULE_PATH_BENEATH" : "LANDLOCK_RULE_NET_PORT",
        (Sys.landlock_add_rule, 2) or (Sys.read, 1) when value >= StageFormat.RegisterPointer(0) && value <= StageFormat.RegisterPointer(LaunchPlan.Scratch) =>
            $"&r{(value - StageFormat.RegisterPointer(0)) / 8}",
        (Sys.keyctl, 0) => "KEYCTL_JOIN_SESSION_KEYRING",
        (Sys.seccomp, 0) => "SECCOMP_SET_MODE_FILTER",
        (Sys.seccomp, 1) => Flags(value, [(Linux.SECCOMP_FILTER_FLAG_LOG, "SECCOMP_FILTER_FLAG_LOG"), (Linux.SECCOMP_FILTER_FLAG_SPEC_ALLOW, "SECCOMP_FILTER_FLAG_SPEC_ALLOW")]),
        (Sys.mknodat or Sys.mkdirat, 2) or (Sys.umask, 0) => "0" + Convert.ToString((long)value, 8),
        _ => unchecked((long)value).ToString(CultureInfo.InvariantCulture),
    };

    private static readonly (ulong, string)[] s_mountFlags =
    [
        (Linux.MS_RDONLY, "MS_RDONLY"), (Linux.MS_NOSUID, "MS_NOSUID"), (Linux.MS_NODEV, "MS_NODEV"), (Linux.MS_NOEXEC, "MS_NOEXEC"),
        (Linux.MS_REMOUNT, "MS_REMOUNT"),
        (Linux.MS_NOSYMFOLLOW, "MS_NOSYMFOLLOW"), (Linux.MS_BIND, "MS_BIND"), (Linux.MS_REC, "MS_REC"), (Linux.MS_PRIVATE, "MS_PRIVATE"), (Linux.MS_SLAVE, "MS_SLAVE"),
    ];

    private static readonly (ulong, string)[] s_openFlags =
        [
        (Linux.O_WRONLY, "O_WRONLY"), (Linux.O_RDWR, "O_RDWR"), (Linux.O_CREAT, "O_CREAT"), (Linux.O_EXCL, "O_EXCL"), (Linux.O_NONBLOCK, "O_NONBLOCK"),
        (Linux.O_PATH, "O_PATH"), (Linux.O_CLOEXEC, "O_CLOEXEC"),
    ];

    private static readonly (ulong, string)[] s_openTreeFlags = [
        (Linux.OPEN_TREE_CLONE, "OPEN_TREE_CLONE"), (Linux.OPEN_TREE_CLOEXEC, "OPEN_TREE_CLOEXEC"), (Linux.AT_RECURSIVE, "AT_RECURSIVE"), (Linux.AT_EMPTY_PATH, "AT_EMPTY_PATH"),
    ];

    private static readonly (ulong, string)[] s_moveFlags =
        [(Linux.MOVE_MOUNT_F_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH"), (Linux.MOVE_MOUNT_T_EMPTY_PATH, "MOVE_MOUNT_T_EMPTY_PATH")];

    private static readonly (ulong, string)[] s_fsFlags = [(Linux.FSOPEN_CLOEXEC, "CLOEXEC")];

    private static readonly (ulong, string)[] s_mountAttributes =
    [
        (Linux.MOUNT_ATTR_RDONLY, "MOUNT_ATTR_RDONLY"), (Linux.MOUNT_ATTR_NOSUID, "MOUNT_ATTR_NOSUID"), (Linux.MOUNT_ATTR_NODEV, "MOUNT_ATTR_NODEV"),
        (Linux.MOUNT_ATTR_NOEXEC, "MOUNT_ATTR_NOEXEC"),
    ];

    private static readonly (ulong, string)[] s_atFlags = [(Linux.AT_RECURSIVE, "AT_RECURSIVE"), (Linux.AT_EMPTY_PATH, "AT_EMPTY_PATH")];

    private static readonly (ulong, string)[] s_cloneFlags =
    [
        (Linux.CLONE_VM, "CLONE_VM"), (Linux.CLONE_FILES, "CLONE_FILES"), (Linux.CLONE_VFORK, "CLONE_VFORK"), (Linux.CLONE_PARENT, "CLONE_PARENT"), (Linux.CLONE_PIDFD, "CLONE_PIDFD"),
        (Linux.CLONE_NEWNS, "CLONE_NEWNS"),
        (Linux.CLONE_NEWUTS, "CLONE_NEWUTS"), (Linux.CLONE_NEWIPC, "CLONE_NEWIPC"), (Linux.CLONE_NEWPID, "CLONE_NEWPID"), (Linux.CLONE_NEWNET, "CLONE_NEWNET"),
        (Linux.CLONE_NEWUSER, "CLONE_NEWUSER"), (Linux.CLONE_NEWCGROUP, "CLONE_NEWCGROUP"), (Linux.CLONE_NEWTIME, "CLONE_NEWTIME"),
    ];

    internal static string CloneFlags(ulong flags) =>
        (flags & 0x7f) == Linux.SIGCHLD ? Flags(flags & ~0x7ful, s_cloneFlags, "0") + "|SIGCHLD" : Flags(flags, s_cloneFlags);

    private static string Flags(ulong value, (ulong Flag, string Name)[] names, string? zero = null)
    {
        var text = new StringBuilder();
        foreach (var (flag, name) in names)
        {
            if ((value & flag) == 0) continue;
            text.Append(text.Length > 0 ? "|" : "").Append(name);
            value &= ~flag;
        }

        if (value != 0) text.Append(text.Length > 0 ? "|" : "").Append("0x").Append(value.ToString("x", CultureInfo.InvariantCulture));
        return text.Length > 0 ? text.ToString() : zero ?? "0";
    }

    private static void AppendStrings(StringBuilder text, LaunchPlan plan, ulong offset)
    {
        const int shown = 8;
        text.Append('[');
        for (var i = 0; ; i++)
        {
            var pointer = BinaryPrimitives.ReadUInt64LittleEndian(plan.Data[((int)offset + i * 8)..]);
            if (pointer == 0) break;
            if (i == shown)
            {
                text.Append(", …");
                break;
            }

            if (i > 0) text.Append(", ");
            text.Append(Quote(Text(plan, pointer - StageFormat.Base - StageFormat.DataOffset)));
        }

        text.Append(']');
    }

    internal static string Text(LaunchPlan plan, ulong offset)
    {
        var rest = plan.Data[(int)offset..];
        return Encoding.UTF8.GetString(rest[..rest.IndexOf((byte)0)]);
    }

    private static string Quote(string value) => "\"" + value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n") + "\"";
}
