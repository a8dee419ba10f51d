using System.Globalization;
using Isolation.Interop;

namespace Isolation.Launching;

/// <summary>What the kernel calls the kinds of namespaces: in /proc/PID/ns, in ioctl_pidfd(2), and by flag.</summary>
internal static class NamespaceKinds
{
    private static readonly (Namespaces Kind, string Link, uint Request, ulong Flag)[] s_kinds =
    [
        (Namespaces.Mount, "mnt", Linux.PIDFD_GET_MNT_NAMESPACE, Linux.CLONE_NEWNS),
        (Namespaces.Uts, "uts", Linux.PIDFD_GET_UTS_NAMESPACE, Linux.CLONE_NEWUTS),
        (Namespaces.Ipc, "ipc", Linux.PIDFD_GET_IPC_NAMESPACE, Linux.CLONE_NEWIPC),
        (Namespaces.Pid, "pid", Linux.PIDFD_GET_PID_NAMESPACE, Linux.CLONE_NEWPID),
        (Namespaces.Network, "net", Linux.PIDFD_GET_NET_NAMESPACE, Linux.CLONE_NEWNET),
        (Namespaces.User, "user", Linux.PIDFD_GET_USER_NAMESPACE, Linux.CLONE_NEWUSER),
        (Namespaces.Cgroup, "cgroup", Linux.PIDFD_GET_CGROUP_NAMESPACE, Linux.CLONE_NEWCGROUP),
        (Namespaces.Time, "time", Linux.PIDFD_GET_TIME_NAMESPACE, Linux.CLONE_NEWTIME),
    ];

    internal static (string Link, uint Request)? Find(Namespaces kind)
    {
        foreach (var entry in s_kinds)
            if (entry.Kind == kind) return (entry.Link, entry.Request);
        return null;
    }

    internal static Namespaces Of(ulong flag)
    {
        foreach (var entry in s_kinds)
            if (entry.Flag == flag) return entry.Kind;
        return Namespaces.None;
    }

    /// <summary>Where /proc has a namespace of the process behind a pidfd.</summary>
    internal static string Path(int pidfd, string link) => string.Create(CultureInfo.InvariantCulture, $"/proc/{Number(pidfd)}/ns/{link}");

    /// <summary>The number that /proc has for the process behind a pidfd, whoever it is; -1 when it has ended.</summary>
    internal static int Number(int pidfd) =>
        int.TryParse(Host.Field(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{pidfd}"), "Pid"), CultureInfo.InvariantCulture, out var pid) ? pid : -1;

    /// <summary>In which of these kinds a process differs from the calling thread.</summary>
    /// <exception cref="IsolationException">It has ended, or must not be looked at.</exception>
    internal static Namespaces Differing(int pidfd, Namespaces wanted)
    {
        var differing = Namespaces.None;
        foreach (var (kind, link, _, _) in s_kinds)
        {
            if ((wanted & kind) == 0) continue;
            var own = new FileInfo("/proc/thread-self/ns/" + link).LinkTarget;
            if (own is null) continue; // this kernel has none
            var path = Path(pidfd, link);
            string? target;
            try
            {
                target = new FileInfo(path).LinkTarget;
            }
            catch (UnauthorizedAccessException)
            {
                throw LaunchFailure.Host("look at the namespaces to join", "readlinkat", (int)Errno.EACCES, path,
                    "Whose namespaces are joined must be a process that this one may trace: of the same user, or with CAP_SYS_PTRACE");
            }

            if (target is null) throw LaunchFailure.Host("look at the namespaces to join", "readlinkat", (int)Errno.ESRCH, path, "The process has ended");
            if (target != own) differing |= kind;
        }

        return differing;
    }
}
