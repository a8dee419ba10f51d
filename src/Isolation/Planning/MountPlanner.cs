using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>
/// mount_namespaces(7): the sandbox's view of the host's tree. Nothing propagates to the host; private instances of what
/// would leak or be shared are laid over it.
/// </summary>
internal static class MountPlanner
{
    /// <summary>Private propagation, and read-only where asked, for every mount of the tree in one call.</summary>
    internal static void OwnTheTree(LaunchPlan plan, IsolationOptions options)
    {
        if (options.Filesystem.Root == RootMode.HostReadOnly)
        {
            var attributes = plan.Struct(new mount_attr { attr_set = Linux.MOUNT_ATTR_RDONLY | Linux.MOUNT_ATTR_NOSUID, propagation = Linux.MS_PRIVATE });
            plan.Add(LaunchPlan.Syscall(Sys.mount_setattr, "make the tree private and read-only", "/",
                Linux.AT_FDCWD, plan.Text("/"), Linux.AT_RECURSIVE, attributes, 32));
        }
        else
        {
            plan.Add(LaunchPlan.Syscall(Sys.mount, "make the tree private", "/", plan.Text("none"), plan.Text("/"), 0, Linux.MS_REC | Linux.MS_PRIVATE, 0));
        }
    }

    /// <summary>What must be taken from the host's tree before it is covered, and needs no mapped user.</summary>
    internal static void Prepare(LaunchPlan plan, IsolationOptions options)
    {
        if (!options.Filesystem.PrivateDev) return;
        DevicePlanner.TakeFromHost(plan);
        // With these in hand, no device node that lies elsewhere in the host's tree is needed, a disk's least of all: reading it
        // takes no capability, only the right user. A tree that stays writable stays as it is.
        if (options.Filesystem.Root == RootMode.HostReadOnly)
            plan.Add(LaunchPlan.Syscall(Sys.mount_setattr, "make the device nodes of the tree unusable", "/",
                Linux.AT_FDCWD, plan.Text("/"), Linux.AT_RECURSIVE, plan.Struct(new mount_attr { attr_set = Linux.MOUNT_ATTR_NODEV }), 32));
    }

    internal static void Populate(LaunchPlan plan, IsolationOptions options)
    {
        var filesystem = options.Filesystem;
        if (filesystem.PrivateDev) DevicePlanner.Populate(plan, filesystem);
        // In the host's PID namespace, only its owner may mount procfs: the host's own stays, as read-only as the tree.
        if (filesystem.PrivateProc && (options.Namespaces & Namespaces.Pid) != 0) MountProc(plan);
        if (filesystem.MaskKernelFiles) MaskKernelFiles(plan, filesystem.Root);
        if (filesystem.PrivateTmp)
        {
            Tmpfs(plan, "/tmp", "mode=1777", filesystem.TmpSize);
            Tmpfs(plan, "/var/tmp", "mode=1777", filesystem.TmpSize);
        }

        if (filesystem.PrivateRun) Tmpfs(plan, "/run", "mode=755", filesystem.TmpSize);
    }

    private static void MountProc(LaunchPlan plan) =>
        plan.Add(LaunchPlan.Syscall(Sys.mount, "mount a fresh procfs", "/proc", plan.Text("proc"), plan.Text("/proc"), plan.Text("proc"),
            Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC, 0));

    internal static void Tmpfs(LaunchPlan plan, string path, string mode, long size) =>
        plan.Add(LaunchPlan.Syscall(Sys.mount, "mount a private tmpfs", path, plan.Text("tmpfs"), plan.Text(path), plan.Text("tmpfs"),
            Linux.MS_NOSUID | Linux.MS_NODEV, plan.Text($"{mode},size={size}")).Tolerate(Errno.ENOENT));

    /// <summary>
    /// Files by which a process of the host's root (which an identity-mapped root is, with or without capabilities) could
    /// read or steer the machine. What a kernel does not have is passed over.
    /// </summary>
    private static void MaskKernelFiles(LaunchPlan plan, RootMode root)
    {
        // Files of sysfs ask for no capability: what is root's by number may write them. In a read-only tree they are out of reach.
        ReadOnlySpan<string> readOnly = root == RootMode.Host
            ? ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", "/sys"]
            : ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
        ReadOnlySpan<string> files =
            ["/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats"];
        ReadOnlySpan<string> directories = ["/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/devices/virtual/powercap", "/sys/firmware"];

        var attributes = plan.Struct(new mount_attr { attr_set = Linux.MOUNT_ATTR_RDONLY });
        foreach (var path in readOnly)
        {
            var text = plan.Text(path);
            plan.Add(LaunchPlan.Syscall(Sys.mount, "bind a kernel folder to itself", path, text, text, 0, Linux.MS_BIND | Linux.MS_REC, 0)
                .Tolerate(Errno.ENOENT).SkipNext(1));
            plan.Add(LaunchPlan.Syscall(Sys.mount_setattr, "make a kernel folder read-only", path, Linux.AT_FDCWD, text, Linux.AT_RECURSIVE, attributes, 32));
        }

        // A mask is only as good as its source (CVE-2025-31133).
        const string nullDevice = "/dev/null";
        var source = plan.Text(nullDevice);
        var buffer = plan.Buffer(256);
        plan.Add(LaunchPlan.Syscall(Sys.statx, "look at the mask", nullDevice, Linux.AT_FDCWD, source, Linux.AT_SYMLINK_NOFOLLOW, Linux.STATX_TYPE, buffer));
        plan.Add(LaunchPlan.Check("check that the mask is a character device", nullDevice, buffer, 28, 2, Linux.S_IFMT, Linux.S_IFCHR, Errno.ENXIO));
        plan.Add(LaunchPlan.Check("check that the mask is the null device", nullDevice, buffer, 128, 8, ulong.MaxValue, 3ul << 32 | 1, Errno.ENXIO));
        foreach (var path in files)
            plan.Add(LaunchPlan.Syscall(Sys.mount, "mask a kernel file", path, source, plan.Text(path), 0, Linux.MS_BIND, 0).Tolerate(Errno.ENOENT));
        foreach (var path in directories)
            plan.Add(LaunchPlan.Syscall(Sys.mount, "mask a kernel folder", path, plan.Text("tmpfs"), plan.Text(path), plan.Text("tmpfs"),
                Linux.MS_RDONLY | Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC, plan.Text("size=0,nr_inodes=1,mode=000")).Tolerate(Errno.ENOENT));
    }
}
