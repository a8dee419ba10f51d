namespace Isolation;

/// <summary>A file system through which the kernel shows something of the sandbox's namespaces.</summary>
public sealed class KernelMount : Mount
{
    private KernelMount(KernelFilesystem filesystem, string target)
        : base(target) => Filesystem = filesystem;

    internal KernelFilesystem Filesystem { get; }

    /// <summary>Devices, drivers and settings, read-only, the parts that Docker hides hidden. With a user namespace it needs <see cref="Namespaces.Network"/>. sysfs(5).</summary>
    public static KernelMount Sysfs(string target = "/sys") => new(KernelFilesystem.Sysfs, target);

    /// <summary>A terminal instance of its own, beside the one of a private /dev.</summary>
    public static KernelMount DevPts(string target) => new(KernelFilesystem.DevPts, target);

    /// <summary>POSIX message queues of the sandbox's IPC namespace. mq_overview(7).</summary>
    public static KernelMount MessageQueue(string target = "/dev/mqueue") => new(KernelFilesystem.MessageQueue, target);

    /// <summary>The control groups, read-only, from the sandbox's own downwards. Version 2 only. cgroups(7).</summary>
    public static KernelMount Cgroup(string target = "/sys/fs/cgroup") => new(KernelFilesystem.Cgroup, target);

    /// <inheritdoc/>
    public override string ToString() => $"{Filesystem} {Target}";
}
