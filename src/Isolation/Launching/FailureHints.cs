using System.Globalization;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>Finds out, after a failure, what a person can do about it. Looks at the machine only then.</summary>
internal static class FailureHints
{
    internal static string? ForHost(Errno errno) => errno switch
    {
        Errno.EMFILE => "This process has as many descriptors open as it may; raise RLIMIT_NOFILE (ulimit -n) or dispose processes that have ended",
        Errno.ENFILE => "The machine has as many files open as it may (fs.file-max)",
        Errno.ENOMEM => "The kernel has no memory for it",
        _ => null,
    };

    internal static string? ForClone(Errno errno, ulong flags)
    {
        var user = (flags & Linux.CLONE_NEWUSER) != 0;
        switch (errno)
        {
            case Errno.EPERM when user && Host.Setting("kernel/unprivileged_userns_clone") == "0":
                return "kernel.unprivileged_userns_clone=0 forbids user namespaces to ordinary users; set it to 1 or run as root";
            case Errno.EPERM when user && IsSeccompFiltered:
                return "An outer sandbox's seccomp filter (Docker's default one, for instance) forbids new namespaces; allow clone and unshare there";
            case Errno.EPERM when user && AppArmorRestricts:
                return AppArmorHint;
            case Errno.EPERM when user:
                return "The user ids of this process are not mapped in its own user namespace, it runs in a chroot, or a security module forbids user namespaces";
            case Errno.EPERM:
                return IsSeccompFiltered
                    ? "An outer sandbox's seccomp filter forbids new namespaces, or this process lacks CAP_SYS_ADMIN"
                    : "Without Namespaces.User this needs CAP_SYS_ADMIN: add Namespaces.User or run as root";
            case Errno.ENOSPC:
                return Limits(flags);
            case Errno.EUSERS:
                return "User namespaces are nested 32 deep already";
            case Errno.EINVAL:
                return "This kernel was built without one of these namespaces";
            case Errno.EAGAIN:
                return "Too many processes: RLIMIT_NPROC (ulimit -u), kernel.pid_max, or the pids limit of a control group";
            case Errno.ENOMEM:
                return "The kernel has no memory for another process, or the PID namespace of this process has lost its init";
            default:
                return ForHost(errno);
        }
    }

    internal static string? ForStep(in Step step, Errno errno) => (step.Call, errno) switch
    {
        (Sys.openat2, Errno.ENOENT) when step.Label == TerminalPlanner.OpenLabel => "There is no devpts in the tree that the program has",
        (_, Errno.ENXIO) when step.Label == TerminalPlanner.CheckLabel => "Something else than the kernel's terminals is in their place",
        (Sys.setns, _) when step.Label == JoinPlanner.Label => JoinHints.ForCall(errno),
        (Sys.prlimit64, Errno.EPERM) => "A hard limit above the host's own needs CAP_SYS_RESOURCE and a sandbox without Namespaces.User; ask for no more than ulimit -H says",
        (Sys.write, Errno.EACCES) when step.Label == LimitPlanner.WriteScore =>
            "Less than the host's own /proc/self/oom_score_adj needs CAP_SYS_RESOURCE and a sandbox without Namespaces.User",
        (Sys.landlock_create_ruleset or Sys.landlock_add_rule or Sys.landlock_restrict_self, _) => LandlockHints.ForCall(step.Call, errno),
        (Sys.openat2, _) when step.Label == LandlockPlanner.Find => LandlockHints.ForPath(errno),
        (_, Errno.EAGAIN) when step.Label == RestrictionPlanner.SameLabel => "Something else is there than a moment before; try again",
        (Sys.openat2, Errno.EACCES) when step.Label == RestrictionPlanner.Find =>
            "Without mount_setattr (Linux 5.12) a mount can be restricted only where its path can be followed; bind a folder without such mounts below it",
        (Sys.openat2, Errno.ENOENT or Errno.ELOOP or Errno.ENOTDIR) when step.Label == RestrictionPlanner.Find =>
            "Somebody renames folders that lead to a mount of the host while the sandbox starts",
        (Sys.mount or Sys.fsmount, Errno.EPERM) when step.Path == "/proc" && step.Label.Contains("procfs", StringComparison.Ordinal) =>
            AppArmorRestricts && !IsPrivileged ? AppArmorHint :
            "Part of this process's own /proc is masked, as in a container, and the kernel refuses a fresh one inside; set Filesystem.PrivateProc to false or unmask /proc outside (docker run --security-opt systempaths=unconfined)",
        (Sys.openat2, Errno.ENOENT) when step.Label.Contains("denied", StringComparison.Ordinal) =>
            "Only a file in that folder, which is the host's, could hold the place of what is denied and does not exist: create it, deny the folder, or bind the folder read-only",
        (Sys.openat2, Errno.ENOENT) => "In a tree of the host, the place of a mount must exist, as nothing is left behind there; use a folder that exists, or a root that is the sandbox's own (Root.Empty, CopyOnWrite)",
        (Sys.openat2, Errno.ELOOP) when step.Label.Contains("working directory", StringComparison.Ordinal) =>
            "A directory is named by its path inside the sandbox; descriptors (/proc/self/fd), roots and directories of processes are not followed",
        (Sys.openat2, Errno.EXDEV) when step.Label == RootPlanner.GoneLabel => "Something is mounted over the host's own root, from which the tree below it cannot be let go",
        (Sys.openat2, Errno.ELOOP) => "There is a symbolic link in its place; an honest root has a folder there",
        (Sys.openat2, Errno.ENOTDIR) or (Sys.fchdir, Errno.ENOTDIR) or (Sys.move_mount, Errno.ENOTDIR or Errno.EINVAL) => "A folder goes over a folder, a file over a file",
        (Sys.openat2, Errno.EAGAIN) => "Somebody on the machine mounts or renames without end while the sandbox starts",
        (Sys.mkdirat or Sys.mknodat or Sys.symlinkat, Errno.EROFS) => "The tree is read-only here; use a folder that exists, or a root that is the sandbox's own (Root.Empty, CopyOnWrite)",
        (Sys.symlinkat, Errno.EEXIST) => "Something with this name exists already",
        (Sys.pivot_root, Errno.EINVAL) => "The host runs from its initial ramdisk, whose root cannot be exchanged",
        (Sys.open_tree, Errno.EINVAL) => "A folder with other mounts below it can be taken into a user namespace only with them (Recursive)",
        (Sys.mount, Errno.ENODEV) => "The kernel has no such file system",
        (Sys.mount, Errno.EPERM or Errno.EINVAL) when step.Label.Contains("layers", StringComparison.Ordinal) =>
            "overlayfs in a user namespace needs Linux 5.11, and folders on a file system it can work with (not itself twice over)",
        (Sys.chdir, Errno.ENOENT) => "The working directory does not exist inside the sandbox (private folders such as /tmp start empty)",
        (Sys.chdir, Errno.EACCES) => "The sandbox's user may not enter the working directory",
        (Sys.chdir, Errno.ENOTDIR) => "The working directory is not a folder",
        (Sys.capset, Errno.EPERM) => "This process has these capabilities by its own program file only, and cannot pass them on: let it run as root, or give it ambient capabilities",
        (Sys.prctl, Errno.EPERM) when step.Label == SecurityPlanner.SetSecureBits => "This kernel does not know all of these securebits, or an outer sandbox has locked them",
        (Sys.prctl, Errno.EPERM) when step.Label == SecurityPlanner.RaiseAmbient => "An outer sandbox has forbidden ambient capabilities (SECBIT_NO_CAP_AMBIENT_RAISE)",
        (Sys.setresuid or Sys.setresgid, Errno.EINVAL) => "This id does not exist in the sandbox's user namespace",
        (Sys.setresuid or Sys.setresgid, Errno.EPERM) => "Becoming another user needs root, or Namespaces.User",
        (Sys.unshare or Sys.setns, Errno.EPERM) => AppArmorRestricts && !IsPrivileged ? AppArmorHint : "This needs CAP_SYS_ADMIN: add Namespaces.User or run as root",
        (Sys.personality, Errno.EPERM) => "An outer sandbox's seccomp filter forbids this personality (Docker's default one allows Linux, Linux32 and UName26 only)",
        (Sys.personality, Errno.EINVAL) => "This machine runs no 32-bit programs",
        (Sys.sched_setscheduler, Errno.EPERM) =>
            "A real-time policy takes CAP_SYS_NICE on the host and a sandbox without Namespaces.User, or RLIMIT_RTPRIO of the host, and real time for the host's control group (cpu.rt_runtime_us)",
        (Sys.setpriority, Errno.EACCES or Errno.EPERM) =>
            "Less niceness than the host's own takes CAP_SYS_NICE on the host and a sandbox without Namespaces.User, or RLIMIT_NICE of the host",
        (Sys.ioprio_set, Errno.EPERM) => "Real-time disk priority takes CAP_SYS_ADMIN and CAP_SYS_NICE on the host and a sandbox without Namespaces.User",
        (Sys.sched_setaffinity, Errno.EINVAL) => "None of these processors is one of the machine's that the host's control group has",
        (Sys.keyctl, Errno.EDQUOT) =>
            "This user has as many keys as it may, each sandbox's keyring among them (kernel.keys.maxkeys); a Seccomp profile that refuses keyctl, add_key and request_key, as the default one, makes it needless",
        (Sys.keyctl, Errno.ENOSYS or Errno.EPERM or Errno.EACCES) =>
            "An outer sandbox forbids keyctl, so the program would see the host's keys; leave Security.Seccomp as it is, or set Security.InheritSessionKeyring",
        (Sys.seccomp, Errno.EACCES) => "Without no_new_privs a filter needs CAP_SYS_ADMIN: leave Security.NoNewPrivileges as it is, add Namespaces.User, or set Security.Seccomp to null",
        (Sys.seccomp, Errno.EINVAL) => "This kernel was built without seccomp filters, or lacks something that the profile wants",
        (Sys.seccomp, Errno.ENOMEM) => "With those of outer sandboxes the filters would be longer than the kernel takes (32,768 instructions)",
        (Sys.unshare, Errno.EINVAL) => "This kernel was built without time namespaces, or is older than 5.6",
        (Sys.unshare, Errno.ENOSPC) => Limits(step.Values[0]),
        (Sys.openat or Sys.write, Errno.EROFS or Errno.EACCES or Errno.EPERM or Errno.ENOENT) when step.Path == "/proc/sys/user/max_user_namespaces" =>
            "The /proc of this process is read-only there, as in most containers, so nested user namespaces cannot be forbidden",
        (Sys.write, Errno.ERANGE) => "The shifted clock would be negative or out of range",
        (_, Errno.ENOSYS) => "Linux 5.10 or newer has this call; an older kernel lacks it, or an outer sandbox hides it",
        (_, Errno.EPERM or Errno.EACCES) when AppArmorRestricts && !IsPrivileged => AppArmorHint,
        _ => ForHost(errno),
    };

    internal static string? ForUserMap(int errno) =>
        errno == (int)Errno.EPERM
            ? "The ids must exist for this process, who needs CAP_SETUID and CAP_SETGID in its user namespace, and CAP_SETFCAP to map id 0 (Linux 5.12)" : null;

    internal static string? ForExecution(Errno errno, string path) => errno switch
    {
        Errno.ENOEXEC => $"{path} is neither a program for this machine nor a script that names its interpreter ('#!/bin/sh' as its first line)",
        Errno.E2BIG => "Arguments and environment together are limited to a quarter of the stack limit (6 MiB at most), and each string to 128 KiB",
        Errno.ENAMETOOLONG => "A path may have 4,095 bytes, and each part of it 255",
        Errno.ELOOP => "Too many symbolic links on the way",
        Errno.ETXTBSY => "The file is open for writing",
        Errno.EPERM => "The mount forbids it, or a security module or the seccomp profile does",
        Errno.ELIBBAD => "The dynamic loader that the program names is broken",
        _ => ForHost(errno),
    };

    private const string AppArmorHint =
        "kernel.apparmor_restrict_unprivileged_userns=1 takes the privileges out of new user namespaces (Ubuntu 23.10 and newer); set it to 0, give the app an AppArmor profile with 'userns,', or run as root";

    private static bool AppArmorRestricts => Host.Setting("kernel/apparmor_restrict_unprivileged_userns") == "1";

    private static bool IsSeccompFiltered => Host.Status("Seccomp") == "2";

    private static bool IsPrivileged => (Kernel.EffectiveCapabilities() >> Linux.CAP_SYS_ADMIN & 1) != 0;

    private static string Limits(ulong flags)
    {
        (ulong Flag, string Name)[] limits =
        [
            (Linux.CLONE_NEWUSER, "max_user_namespaces"), (Linux.CLONE_NEWNS, "max_mnt_namespaces"), (Linux.CLONE_NEWPID, "max_pid_namespaces"),
            (Linux.CLONE_NEWNET, "max_net_namespaces"), (Linux.CLONE_NEWUTS, "max_uts_namespaces"), (Linux.CLONE_NEWIPC, "max_ipc_namespaces"),
            (Linux.CLONE_NEWCGROUP, "max_cgroup_namespaces"), (Linux.CLONE_NEWTIME, "max_time_namespaces"),
        ];
        foreach (var (flag, name) in limits)
        {
            if ((flags & flag) == 0 || Host.Setting("user/" + name) is not { } value) continue;
            if (long.TryParse(value, CultureInfo.InvariantCulture, out var limit) && limit == 0) return $"user.{name}=0 forbids these namespaces; raise it";
        }

        return "A limit on the number of namespaces is reached (the user.max_*_namespaces settings, here or in an outer user namespace)";
    }
}
