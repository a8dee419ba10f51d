using System.Globalization;
using System.Text;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>Which namespaces the child is born in, host and domain name, and the time namespace's clocks.</summary>
internal static class NamespacePlanner
{
    /// <summary>All but time: that one is entered later, because its offsets must be written before anybody is in it.</summary>
    internal static ulong CloneFlags(Namespaces namespaces)
    {
        ulong flags = 0;
        if ((namespaces & Namespaces.Mount) != 0) flags |= Linux.CLONE_NEWNS;
        if ((namespaces & Namespaces.Uts) != 0) flags |= Linux.CLONE_NEWUTS;
        if ((namespaces & Namespaces.Ipc) != 0) flags |= Linux.CLONE_NEWIPC;
        if ((namespaces & Namespaces.Pid) != 0) flags |= Linux.CLONE_NEWPID;
        if ((namespaces & Namespaces.Network) != 0) flags |= Linux.CLONE_NEWNET;
        if ((namespaces & Namespaces.User) != 0) flags |= Linux.CLONE_NEWUSER;
        if ((namespaces & Namespaces.Cgroup) != 0) flags |= Linux.CLONE_NEWCGROUP;
        return flags;
    }

    internal static void Names(LaunchPlan plan, IsolationOptions options)
    {
        if (options.HostName is { } host)
            plan.Add(LaunchPlan.Syscall(Sys.sethostname, "set the host name", host, plan.Text(host), Encoding.UTF8.GetByteCount(host)));
        if (options.DomainName is { } domain)
            plan.Add(LaunchPlan.Syscall(Sys.setdomainname, "set the domain name", domain, plan.Text(domain), Encoding.UTF8.GetByteCount(domain)));
    }

    /// <summary>
    /// time_namespaces(7): unshare makes the namespace, the offsets are written, and setns enters it. The entry works
    /// because the stage has its own address space; setns fails with EUSERS while one is shared.
    /// </summary>
    internal static void EnterTime(LaunchPlan plan, IsolationOptions options)
    {
        plan.Add(LaunchPlan.Syscall(Sys.unshare, "make a time namespace", null, Linux.CLONE_NEWTIME));
        var content = string.Create(CultureInfo.InvariantCulture, $"{Offset("monotonic", options.Time.MonotonicOffset)}{Offset("boottime", options.Time.BootTimeOffset)}");
        if (content.Length != 0)
        {
            const string path = "/proc/self/timens_offsets";
            var register = plan.NewRegister();
            plan.Add(LaunchPlan.Syscall(Sys.openat, "open the clock offsets", path, Linux.AT_FDCWD, plan.Text(path), Linux.O_WRONLY | Linux.O_CLOEXEC).To(register));
            plan.Add(LaunchPlan.Syscall(Sys.write, "write the clock offsets", path, Argument.Register(register), plan.Text(content), content.Length));
            // A mount with a file open for writing cannot be made read-only.
            plan.Add(LaunchPlan.Syscall(Sys.close, "close the clock offsets", path, Argument.Register(register)));
        }

        const string link = "/proc/self/ns/time_for_children";
        var target = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.openat, "open the time namespace", link, Linux.AT_FDCWD, plan.Text(link), Linux.O_RDONLY | Linux.O_CLOEXEC).To(target));
        plan.Add(LaunchPlan.Syscall(Sys.setns, "enter the time namespace", link, Argument.Register(target), Linux.CLONE_NEWTIME));
    }

    private static string Offset(string clock, TimeSpan offset)
    {
        if (offset == TimeSpan.Zero) return "";
        // Seconds may be negative, nanoseconds may not: the floor of the seconds, and the rest.
        var seconds = Math.DivRem(offset.Ticks, TimeSpan.TicksPerSecond, out var rest);
        if (rest < 0) (seconds, rest) = (seconds - 1, rest + TimeSpan.TicksPerSecond);
        return string.Create(CultureInfo.InvariantCulture, $"{clock} {seconds} {rest * 100}\n");
    }
}
