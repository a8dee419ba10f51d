using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>
/// procfs and sysfs, and what is hidden there: files by which a process of the host's root (which an identity-mapped root is,
/// with or without capabilities) could read or steer the machine. What a kernel does not have is passed over.
/// </summary>
internal static class ProcPlanner
{
    private const string NullDevice = "/dev/null";

    /// <summary>In the host's PID namespace, only its owner may mount procfs: the host's own stays, as read-only as the tree.</summary>
    internal static bool IsWanted(IsolationOptions options) =>
        (options.Filesystem.PrivateProc || Explicit(options) is not null) && (options.Namespaces & Namespaces.Pid) != 0;

    /// <summary>
    /// Without a private /dev, whose null device serves, a root that is not the host's cannot be trusted to have one: one copy of
    /// the host's for each file, as a copy that is attached nowhere cannot be copied again before Linux 6.15.
    /// </summary>
    internal static void TakeMasks(LaunchPlan plan, IsolationOptions options)
    {
        var filesystem = options.Filesystem;
        if (filesystem.Root.IsHost || filesystem.PrivateDev || !filesystem.MaskKernelFiles || !IsWanted(options)) return;
        for (var i = 0; i < KernelPaths.Files.Length; i++)
            plan.Add(LaunchPlan.Syscall(Sys.open_tree, "take the mask from the host", NullDevice, Linux.AT_FDCWD, plan.Text(NullDevice),
                Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC).To((byte)(DevicePlanner.FirstDevice + i)));
    }

    /// <summary>
    /// While the host's own can still be seen: in a user namespace the kernel lets nobody mount a procfs or sysfs that shows more than
    /// the ones in view do, and takes none in view for "nothing is to be seen" (mount_too_revealing).
    /// </summary>
    internal static void Make(LaunchPlan plan, IsolationOptions options)
    {
        var mounts = options.Filesystem.Mounts;
        if (IsWanted(options)) plan.ProcRegister = Make(plan, "proc", "/proc", Explicit(options), 0);
        for (var i = 0; i < mounts.Count; i++)
        {
            if (mounts[i] is ProcMount { Target: not "/proc" } proc) plan.Sources[i] = Make(plan, "proc", proc.Target, proc, 0);
            else if (mounts[i] is KernelMount { Filesystem: KernelFilesystem.Sysfs } sysfs) plan.Sources[i] = Make(plan, "sysfs", sysfs.Target, null, Linux.MOUNT_ATTR_RDONLY);
        }
    }

    /// <summary>The sandbox's /proc, and the masks in it and in a /sys that is the host's.</summary>
    internal static void Place(LaunchPlan plan, IsolationOptions options, byte root, in HostFacts facts)
    {
        var filesystem = options.Filesystem;
        var wanted = IsWanted(options);
        if (wanted && filesystem.Root.IsHost) MountOnHosts(plan, Explicit(options));
        else if (wanted && filesystem.Root.IsForeign) Attach(plan, root, "/proc", own: true, plan.ProcRegister);
        else if (wanted) AttachByPath(plan, plan.ProcRegister);
        if (!filesystem.MaskKernelFiles || !wanted && !filesystem.Root.IsHost) return;
        if (!wanted) plan.Add(LaunchPlan.Syscall(Sys.chdir, "go to the host's procfs", "/proc", plan.Text("/proc")));
        Mask(plan, options, fresh: wanted);
        if (!filesystem.Root.IsHost) return;

        // Files of sysfs ask for no capability: what is root's by number may write them. In a read-only tree they are out of reach.
        if (filesystem.Root.Kind == RootKind.Host) MakeReadOnly(plan, KernelPaths.Sysfs, KernelPaths.Sysfs, fresh: false);
        Hide(plan, KernelPaths.Powercap, KernelPaths.Powercap);
        Hide(plan, KernelPaths.Firmware, KernelPaths.Firmware);
        // These show processes of the host, and are root's by number as well; nobody else may enter them.
        if (facts.UserId != 0) return;
        Hide(plan, KernelPaths.Debugfs, KernelPaths.Debugfs);
        Hide(plan, KernelPaths.Tracefs, KernelPaths.Tracefs);
    }

    /// <summary>One more procfs, at a place of the user's choice.</summary>
    internal static void Place(LaunchPlan plan, IsolationOptions options, byte root, ProcMount mount, int index, bool own)
    {
        var made = options.Filesystem.Root.IsHost ? Make(plan, "proc", mount.Target, mount, 0) : plan.Sources[index];
        Attach(plan, root, mount.Target, own, made);
        if (options.Filesystem.MaskKernelFiles) Mask(plan, options, fresh: true);
    }

    internal static void PlaceSysfs(LaunchPlan plan, IsolationOptions options, byte root, int index, bool own)
    {
        var target = options.Filesystem.Mounts[index].Target;
        var made = options.Filesystem.Root.IsHost ? Make(plan, "sysfs", target, null, Linux.MOUNT_ATTR_RDONLY) : plan.Sources[index];
        Attach(plan, root, target, own, made);
        if (!options.Filesystem.MaskKernelFiles) return;
        Hide(plan, "devices/virtual/powercap", target + "/devices/virtual/powercap");
        Hide(plan, "firmware", target + "/firmware");
    }

    private static ProcMount? Explicit(IsolationOptions options)
    {
        foreach (var mount in options.Filesystem.Mounts)
            if (mount is ProcMount { Target: "/proc" } proc) return proc;
        return null;
    }

    private static void MountOnHosts(LaunchPlan plan, ProcMount? settings)
    {
        const string path = "/proc";
        var data = (settings is { ProcessesOnly: true } ? "subset=pid" : "") + (settings is { ProcessesOnly: true, HideOthers: true } ? "," : "") +
            (settings is { HideOthers: true } ? "hidepid=invisible" : "");
        plan.Add(LaunchPlan.Syscall(Sys.mount, "mount a fresh procfs", path, plan.Text("proc"), plan.Text(path), plan.Text("proc"),
            Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC, data.Length == 0 ? 0 : plan.Text(data)));
        plan.Add(LaunchPlan.Syscall(Sys.chdir, "go to it", path, plan.Text(path)));
    }

    /// <summary>A file system that is mounted nowhere yet.</summary>
    private static byte Make(LaunchPlan plan, string type, string target, ProcMount? settings, ulong extra)
    {
        var label = "mount a fresh " + (type == "proc" ? "procfs" : type);
        var context = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.fsopen, label, target, plan.Text(type), Linux.FSOPEN_CLOEXEC).To(context));
        if (settings is { ProcessesOnly: true }) Configure(plan, context, target, "subset", "pid");
        if (settings is { HideOthers: true }) Configure(plan, context, target, "hidepid", "invisible");
        plan.Add(LaunchPlan.Syscall(Sys.fsconfig, label, target, Argument.Register(context), Linux.FSCONFIG_CMD_CREATE, 0, 0, 0));
        plan.Add(LaunchPlan.Syscall(Sys.fsmount, label, target, Argument.Register(context), Linux.FSMOUNT_CLOEXEC,
            Linux.MOUNT_ATTR_NOSUID | Linux.MOUNT_ATTR_NODEV | Linux.MOUNT_ATTR_NOEXEC | extra).To(context));
        return context;
    }

    internal static void Configure(LaunchPlan plan, byte context, string target, string name, string value) =>
        plan.Add(LaunchPlan.Syscall(Sys.fsconfig, "set an option of a file system", $"{target} {name}={value}", Argument.Register(context), Linux.FSCONFIG_SET_STRING,
            plan.Text(name), plan.Text(value), 0));

    /// <summary>Mounts what has been made and goes there: what is done in it is done relative to it, whatever becomes of its path.</summary>
    private static void Attach(LaunchPlan plan, byte root, string target, bool own, byte made)
    {
        // A link in the place of /proc is no mistake that an honest root contains (CVE-2019-16884).
        const ulong unlinked = PlacePlanner.Inside | Linux.RESOLVE_NO_SYMLINKS;
        if (own) PlacePlanner.OpenOrMakeFolder(plan, root, target, LaunchPlan.Scratch, unlinked, mode: 0x16d /* 0555 */);
        else plan.Add(PlacePlanner.Open(plan, root, target, LaunchPlan.Scratch, unlinked));
        AttachToScratch(plan, made, target, "mount it");
    }

    /// <summary>In a tree that only the sandbox has, a path is as good.</summary>
    private static void AttachByPath(LaunchPlan plan, byte made)
    {
        plan.Add(LaunchPlan.Syscall(Sys.move_mount, "mount the procfs", "/proc", Argument.Register(made), plan.Text(""), Linux.AT_FDCWD, plan.Text("/proc"),
            Linux.MOVE_MOUNT_F_EMPTY_PATH));
        plan.Add(LaunchPlan.Syscall(Sys.fchdir, "go to it", "/proc", Argument.Register(made)));
    }

    /// <summary>On the place in <see cref="LaunchPlan.Scratch"/>.</summary>
    internal static void AttachToScratch(LaunchPlan plan, byte made, string target, string label)
    {
        var empty = plan.Text("");
        plan.Add(LaunchPlan.Syscall(Sys.move_mount, label, target, Argument.Register(made), empty, Argument.Register(LaunchPlan.Scratch), empty,
            Linux.MOVE_MOUNT_F_EMPTY_PATH | Linux.MOVE_MOUNT_T_EMPTY_PATH));
        PlacePlanner.Close(plan, target, LaunchPlan.Scratch);
        plan.Add(LaunchPlan.Syscall(Sys.fchdir, "go to it", target, Argument.Register(made)));
    }

    /// <summary>In the procfs that is the current directory.</summary>
    private static void Mask(LaunchPlan plan, IsolationOptions options, bool fresh)
    {
        foreach (var path in KernelPaths.ReadOnly) MakeReadOnly(plan, KernelPaths.Name(path), path, fresh);

        // A mask is only as good as its source (CVE-2025-31133): the host's null device, looked at where it is taken from. In a tree
        // that nobody has prepared that is its path, unless a mount has covered it: then no mask could be told from no kernel file.
        var filesystem = options.Filesystem;
        var byPath = !filesystem.Root.IsForeign && (filesystem.PrivateDev ? !IsCovered(filesystem) : filesystem.Root.IsHost);
        var source = DevicePlanner.FirstDevice;
        var buffer = plan.Buffer(256);
        var empty = plan.Text("");
        plan.Add(byPath
            ? LaunchPlan.Syscall(Sys.statx, "look at the mask", NullDevice, Linux.AT_FDCWD, plan.Text(NullDevice), 0, Linux.STATX_TYPE, buffer)
            : LaunchPlan.Syscall(Sys.statx, "look at the mask", NullDevice, Argument.Register(source), empty, Linux.AT_EMPTY_PATH, Linux.STATX_TYPE, buffer));
        plan.Add(LaunchPlan.Check("check that the mask is a character device", NullDevice, buffer, 28, 2, Linux.S_IFMT, Linux.S_IFCHR, Errno.ENXIO));
        plan.Add(LaunchPlan.Check("check that the mask is the null device", NullDevice, buffer, 128, 8, ulong.MaxValue, 3ul << 32 | 1, Errno.ENXIO));
        for (var i = 0; i < KernelPaths.Files.Length; i++)
        {
            var path = KernelPaths.Files[i];
            var name = plan.Text(KernelPaths.Name(path));
            if (byPath)
            {
                plan.Add(LaunchPlan.Syscall(Sys.mount, KernelPaths.MaskFile, path, plan.Text(NullDevice), name, 0, Linux.MS_BIND, 0).Tolerate(Errno.ENOENT));
                continue;
            }

            var mask = filesystem.PrivateDev ? LaunchPlan.Scratch : (byte)(source + i);
            if (filesystem.PrivateDev)
                plan.Add(LaunchPlan.Syscall(Sys.open_tree, "copy the mask", path, Argument.Register(source), empty,
                    Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC | Linux.AT_EMPTY_PATH).To(mask));
            plan.Add(LaunchPlan.Syscall(Sys.move_mount, KernelPaths.MaskFile, path, Argument.Register(mask), empty, Linux.AT_FDCWD, name,
                Linux.MOVE_MOUNT_F_EMPTY_PATH).Tolerate(Errno.ENOENT));
        }

        foreach (var path in KernelPaths.Folders) Hide(plan, KernelPaths.Name(path), path);
    }

    private static bool IsCovered(FilesystemOptions filesystem)
    {
        foreach (var mount in filesystem.Mounts)
            if (mount.Target is "/dev" or NullDevice) return true;
        return false;
    }

    /// <summary>In a procfs of the sandbox's own, or in what the host has.</summary>
    private static void MakeReadOnly(LaunchPlan plan, string name, string path, bool fresh)
    {
        const string label = "make a kernel folder read-only";
        var text = plan.Text(name);
        plan.Add(LaunchPlan.Syscall(Sys.mount, KernelPaths.BindFolder, path, text, text, 0, Linux.MS_BIND | Linux.MS_REC, 0).Tolerate(Errno.ENOENT));
        var first = plan.Steps.Length;
        if (fresh) RestrictionPlanner.Own(plan, name, path, label, held: Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC);
        else RestrictionPlanner.BoundOfHost(plan, path, label);
        plan.SkipsFrom(first);
    }

    private static void Hide(LaunchPlan plan, string name, string path) =>
        plan.Add(LaunchPlan.Syscall(Sys.mount, KernelPaths.MaskFolder, path, plan.Text("tmpfs"), plan.Text(name), plan.Text("tmpfs"),
            Linux.MS_RDONLY | Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC, plan.Text("size=0,nr_inodes=1,mode=000")).Tolerate(Errno.ENOENT));
}
