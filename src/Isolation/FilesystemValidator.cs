using Isolation.Planning;

namespace Isolation;

/// <summary>The part of <see cref="OptionsValidator"/> that looks at the file tree.</summary>
internal static class FilesystemValidator
{
    internal static void Validate(IsolationOptions options)
    {
        var filesystem = options.Filesystem;
        if (filesystem.Root is null) throw Invalid("has no Root; Root.HostReadOnly is the default");
        if (filesystem.TmpSize <= 0 || filesystem.SharedMemorySize <= 0)
            throw Invalid("has a size that is not positive; the kernel would take 0 for 'no limit'");
        if ((options.MadeNamespaces & Namespaces.Mount) == 0)
        {
            // Silently giving the program the host's tree is not what was asked for.
            if (!filesystem.Root.IsHost || filesystem.Mounts.Count > 0 || filesystem.Devices.Count > 0)
                throw Invalid("has a root, mounts or devices, which need Namespaces.Mount");
            return;
        }

        if (filesystem.Mounts.Count > MountPlanner.MaxMounts) throw Invalid($"has more than {MountPlanner.MaxMounts} mounts");
        if (filesystem.Devices.Count > DevicePlanner.MaxExtra) throw Invalid($"has more than {DevicePlanner.MaxExtra} devices");
        if (filesystem.Devices.Count > 0 && !filesystem.PrivateDev) throw Invalid("has devices, which go into a private /dev");
        if (filesystem.Mounts.Count(static mount => mount is BindMount { MapsIds: true }) >= PlanHandle.MaxPrepared)
            throw Invalid($"has more than {PlanHandle.MaxPrepared - 1} bind mounts with mapped ids");
        foreach (var device in filesystem.Devices) Device(device);
        foreach (var folder in filesystem.Root.Folders) OptionsValidator.NoNul(folder, nameof(options.Filesystem));
        OptionsValidator.NoNul(filesystem.Root.Changes, nameof(options.Filesystem));
        foreach (var mount in filesystem.Mounts)
        {
            Check(mount, filesystem, options.Namespaces);
            if (mount is BindMount { OwnedBySandboxUser: true } && new ChosenUser(options.User).IsLookedUp)
                throw Invalid($"shows {mount.Target} as owned by the sandbox's user, whose ids must be known before: UserId and GroupId, or a Name like '1000:1000'");
            OptionsValidator.NoNul(mount.Target, nameof(options.Filesystem));
            OptionsValidator.NoNul((mount as BindMount)?.Source, nameof(options.Filesystem));
            OptionsValidator.NoNul((mount as SymbolicLinkMount)?.PointsTo, nameof(options.Filesystem));
        }
    }

    private static void Device(string? name)
    {
        OptionsValidator.NoNul(name, nameof(IsolationOptions.Filesystem));
        if (string.IsNullOrEmpty(name) || name.Split('/').Any(static part => part is "" or "." or ".."))
            throw Invalid($"has the device '{name}'; a device is named below /dev, as 'fuse' or 'net/tun'");
    }

    private static void Check(Mount? mount, FilesystemOptions filesystem, Namespaces namespaces)
    {
        var inUser = (namespaces & Namespaces.User) != 0;
        switch (mount)
        {
            case null:
                throw Invalid("has null among its mounts");
            case BindMount { Propagation: MountPropagation.Both } when inUser:
                throw Invalid($"lets mounts propagate to the host from {mount.Target}, which the kernel does not allow with Namespaces.User");
            case BindMount { IdMapping: not null, OwnedBySandboxUser: true }:
                throw Invalid($"maps the ids at {mount.Target} in two ways");
            case BindMount { IdMapping.Count: 0 }:
                throw Invalid($"maps no ids at {mount.Target}");
            case TmpfsMount { Size: <= 0 } or TmpfsMount { Inodes: <= 0 }:
                throw Invalid($"has a tmpfs without room at {mount.Target}; the kernel would take 0 for 'no limit'");
            case ProcMount when (namespaces & Namespaces.Pid) == 0:
                throw Invalid($"has a procfs at {mount.Target}, which needs Namespaces.Pid: the host's own belongs to the host");
            case ProcMount { Target: not "/proc" } when !filesystem.PrivateDev && !filesystem.Root.IsHost && filesystem.MaskKernelFiles:
                throw Invalid($"has a second procfs at {mount.Target}, whose masks are taken from a private /dev");
            case KernelMount { Filesystem: KernelFilesystem.Sysfs } when inUser && (namespaces & Namespaces.Network) == 0:
                throw Invalid($"has a sysfs at {mount.Target}, which needs Namespaces.Network where there is Namespaces.User");
            case KernelMount { Filesystem: KernelFilesystem.MessageQueue } when inUser && (namespaces & Namespaces.Ipc) == 0:
                throw Invalid($"has message queues at {mount.Target}, which need Namespaces.Ipc where there is Namespaces.User");
            case KernelMount { Filesystem: KernelFilesystem.Cgroup } when inUser && (namespaces & Namespaces.Cgroup) == 0:
                throw Invalid($"has control groups at {mount.Target}, which need Namespaces.Cgroup where there is Namespaces.User");
            case FileMount { UserId: uint.MaxValue } or FileMount { GroupId: uint.MaxValue } or DirectoryMount { UserId: uint.MaxValue } or DirectoryMount { GroupId: uint.MaxValue }:
                throw Invalid($"has the owner 4294967295 at {mount.Target}, which stands for 'no change' to the kernel");
        }
    }

    private static ArgumentException Invalid(string problem) => OptionsValidator.Invalid(nameof(IsolationOptions.Filesystem), problem);
}
