using System.Globalization;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>
/// mount_namespaces(7): what is in the sandbox's tree, in three acts. <see cref="Take"/>: what comes from the host's tree, while
/// it is untouched. <see cref="Make"/>: what is made, in a scratch file system over the host's tree. <see cref="PlaceAll"/>: all of
/// it, and the private folders, are put into the tree, from which the host's can no longer be reached.
/// </summary>
internal static class MountPlanner
{
    internal const int MaxMounts = 128;

    /// <summary>Detached copies of the host's folders and files. Nothing that is done to the tree later reaches them.</summary>
    internal static void Take(LaunchPlan plan, IsolationOptions options)
    {
        var mounts = options.Filesystem.Mounts;
        for (var i = 0; i < mounts.Count; i++)
        {
            switch (mounts[i])
            {
                case BindMount { MapsIds: false } bind:
                    plan.Sources[i] = TakeBind(plan, bind);
                    break;
                case BindMount bind:
                    plan.Sources[i] = TakeMapped(plan, bind, PreparedMounts.Handle(options, bind));
                    break;
                case OverlayMount overlay:
                    plan.Sources[i] = OverlayPlanner.TakeChanges(plan, overlay.Layers);
                    break;
                case DeniedPath:
                    plan.Sources[i] = TakeDenial(plan);
                    break;
            }
        }
    }

    /// <summary>Files from memory and overlays: attached to a scratch file system first, as the kernel asks, then detached copies like the others.</summary>
    internal static void Make(LaunchPlan plan, IsolationOptions options)
    {
        var mounts = options.Filesystem.Mounts;
        ContentPlanner.MakeFiles(plan, options);
        RestrictionPlanner.Finish(plan);
        if (!options.Filesystem.Root.IsHost) ProcPlanner.Make(plan, options);
        for (var i = 0; i < mounts.Count; i++)
        {
            if (mounts[i] is not OverlayMount overlay) continue;
            OverlayPlanner.Mount(plan, overlay.Layers, plan.Sources[i], options, "merged");
            if (overlay.Changes is null) plan.Sources[i] = plan.NewRegister();
            plan.Add(LaunchPlan.Syscall(Sys.open_tree, "take the overlay", overlay.Target, Linux.AT_FDCWD, plan.Text("merged"),
                Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC).To(plan.Sources[i]));
            OverlayPlanner.LeaveTmpfs(plan);
        }
    }

    internal static void PlaceAll(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        var filesystem = options.Filesystem;
        var foreign = filesystem.Root.IsForeign;
        var root = foreign || filesystem.Mounts.Count > 0 ? PlacePlanner.OpenRoot(plan) : (byte)0;
        if (!filesystem.Root.IsHost) MakeFolders(plan, options, root);
        if (filesystem.PrivateDev) DevicePlanner.Populate(plan, options, root);
        if (filesystem.Root.Access == RootAccess.CopyOnWrite)
        {
            if (filesystem.PrivateTmp) PlacePlanner.OpenOrMakeFolder(plan, root, "/tmp", LaunchPlan.Scratch, mode: 0x3ff /* 01777 */);
        }
        else
        {
            if (filesystem.PrivateTmp)
            {
                PlaceTmpfs(plan, foreign, root, "/tmp", "mode=1777", filesystem.TmpSize, mustExist: !filesystem.Root.IsHost);
                PlaceTmpfs(plan, foreign, root, "/var/tmp", "mode=1777", filesystem.TmpSize, mustExist: false);
            }

            if (filesystem.PrivateRun) PlaceTmpfs(plan, foreign, root, "/run", "mode=755", filesystem.TmpSize, mustExist: false);
        }

        for (var i = 0; i < filesystem.Mounts.Count; i++) Place(plan, options, root, i);
        // The last: nothing that comes before can be led into it by a link (CVE-2025-52881).
        ProcPlanner.Place(plan, options, root, facts);
        RootPlanner.Seal(plan, options, facts);
    }

    /// <summary>Every place that a root must have or be given, for somebody who can look whether it has.</summary>
    internal static IEnumerable<string> Places(IsolationOptions options)
    {
        var filesystem = options.Filesystem;
        if (filesystem.PrivateDev) yield return "/dev";
        if (ProcPlanner.IsWanted(options)) yield return "/proc";
        if (filesystem.PrivateTmp) yield return "/tmp";
        for (var i = 0; i < filesystem.Mounts.Count; i++)
            if (Ownership.IsOfRoot(options, i)) yield return filesystem.Mounts[i].Target;
    }

    /// <summary>Every path of the host that a tree is taken from, for somebody who has to look what it is.</summary>
    internal static IEnumerable<string> HostSources(IsolationOptions options)
    {
        var root = options.Filesystem.Root;
        if (root.Kind == RootKind.Directory) yield return root.Folders[0];
        if (root.Changes is { } changes) yield return changes;
        foreach (var mount in options.Filesystem.Mounts)
        {
            if (mount is BindMount bind) yield return bind.Source;
            else if (mount is OverlayMount { Layers.Changes: { } kept }) yield return kept;
        }
    }

    /// <summary>Where the private folders go in a root that may lack them.</summary>
    private static void MakeFolders(LaunchPlan plan, IsolationOptions options, byte root)
    {
        var filesystem = options.Filesystem;
        if (filesystem.Root.IsForeign) return; // there they are made as they are opened
        if (filesystem.PrivateDev) MakeFolder(plan, "/dev", 0x1ed /* 0755 */);
        if (ProcPlanner.IsWanted(options)) MakeFolder(plan, "/proc", 0x16d /* 0555 */);
        if (filesystem.PrivateTmp) MakeFolder(plan, "/tmp", 0x3ff /* 01777 */);
    }

    private static void MakeFolder(LaunchPlan plan, string path, uint mode) =>
        plan.Add(LaunchPlan.Syscall(Sys.mkdirat, "make a folder", path, Linux.AT_FDCWD, plan.Text(path), mode));

    private static void PlaceTmpfs(LaunchPlan plan, bool foreign, byte root, string path, string mode, long size, bool mustExist)
    {
        const ulong flags = Linux.MS_NOSUID | Linux.MS_NODEV;
        var data = string.Create(CultureInfo.InvariantCulture, $"{mode},size={size}");
        if (!foreign)
        {
            var step = LaunchPlan.Syscall(Sys.mount, "mount a private tmpfs", path, plan.Text("tmpfs"), plan.Text(path), plan.Text("tmpfs"), flags, plan.Text(data));
            plan.Add(mustExist ? step : step.Tolerate(Errno.ENOENT));
            return;
        }

        const byte place = LaunchPlan.Scratch;
        if (mustExist) PlacePlanner.OpenOrMakeFolder(plan, root, path, place, mode: 0x3ff /* 01777 */);
        else plan.Add(PlacePlanner.Open(plan, root, path, place).Tolerate(Errno.ENOENT).SkipNext(3));
        MountOn(plan, place, path, "mount a private tmpfs", "tmpfs", flags, data);
    }

    /// <summary>A new file system on a folder that is held by descriptor: as the current directory it can be named without a path.</summary>
    private static void MountOn(LaunchPlan plan, byte place, string path, string label, string type, ulong flags, string? data)
    {
        plan.Add(LaunchPlan.Syscall(Sys.fchdir, "go to the place of a mount", path, Argument.Register(place)));
        plan.Add(LaunchPlan.Syscall(Sys.mount, label, path, plan.Text(type), plan.Text("."), plan.Text(type), flags, data is null ? 0 : plan.Text(data)));
        PlacePlanner.Close(plan, path, place);
    }

    private static void Place(LaunchPlan plan, IsolationOptions options, byte root, int index)
    {
        var mount = options.Filesystem.Mounts[index];
        var own = Ownership.IsOwn(options, index);
        switch (mount)
        {
            case BindMount bind:
                PlaceBind(plan, root, bind, plan.Sources[index], own);
                break;
            case OverlayMount or FileMount:
                PlaceSource(plan, root, mount.Target, plan.Sources[index], own, "put a mount in place");
                break;
            case TmpfsMount tmpfs:
                PlaceNew(plan, root, tmpfs.Target, own, "mount a tmpfs", "tmpfs",
                    Linux.MS_NOSUID | Linux.MS_NODEV | (tmpfs.AllowExecution ? 0 : Linux.MS_NOEXEC) | (tmpfs.ReadOnly ? Linux.MS_RDONLY : 0), Data(tmpfs));
                break;
            case KernelMount { Filesystem: KernelFilesystem.Sysfs }:
                ProcPlanner.PlaceSysfs(plan, options, root, index, own);
                break;
            case KernelMount kernel:
                var (type, data, extra) = kernel.Filesystem switch
                {
                    KernelFilesystem.DevPts => ("devpts", "newinstance,ptmxmode=0666,mode=0620", 0ul),
                    KernelFilesystem.MessageQueue => ("mqueue", null, Linux.MS_NODEV),
                    _ => ("cgroup2", (string?)null, Linux.MS_NODEV | Linux.MS_RDONLY),
                };
                PlaceNew(plan, root, kernel.Target, own, "mount " + type, type, Linux.MS_NOSUID | Linux.MS_NOEXEC | extra, data);
                break;
            case ProcMount { Target: "/proc" }:
                break; // with the standard one, at the end
            case ProcMount proc:
                ProcPlanner.Place(plan, options, root, proc, index, own);
                break;
            default:
                ContentPlanner.Place(plan, options, root, index, plan.Sources[index], own);
                break;
        }
    }

    private static void PlaceBind(LaunchPlan plan, byte root, BindMount bind, byte source, bool own)
    {
        if (!bind.IgnoreMissing)
        {
            PlaceSource(plan, root, bind.Target, source, own, "put a bind mount in place");
            return;
        }

        plan.Add(LaunchPlan.CheckRegister("has it been there", bind.Source, source, expected: 0, Errno.EEXIST).Tolerate(Errno.EEXIST));
        var first = plan.Steps.Length;
        PlaceSource(plan, root, bind.Target, source, own, "put a bind mount in place");
        plan.DoneSkipsFrom(first);
    }

    internal static void PlaceSource(LaunchPlan plan, byte root, string target, byte source, bool own, string label)
    {
        const byte place = LaunchPlan.Scratch;
        if (own) PlacePlanner.OpenOrMakeLike(plan, root, target, place, source);
        else plan.Add(PlacePlanner.Open(plan, root, target, place));
        var empty = plan.Text("");
        plan.Add(LaunchPlan.Syscall(Sys.move_mount, label, target, Argument.Register(source), empty, Argument.Register(place), empty,
            Linux.MOVE_MOUNT_F_EMPTY_PATH | Linux.MOVE_MOUNT_T_EMPTY_PATH));
        PlacePlanner.Close(plan, target, place);
        // Else a script, whose interpreter the kernel looks for before it closes what closes at exec, would find what a later mount has covered.
        plan.Add(LaunchPlan.Syscall(Sys.close, "let go of what is mounted", target, Argument.Register(source)));
    }

    internal static void PlaceNew(LaunchPlan plan, byte root, string target, bool own, string label, string type, ulong flags, string? data)
    {
        OpenFolder(plan, root, target, own, LaunchPlan.Scratch);
        MountOn(plan, LaunchPlan.Scratch, target, label, type, flags, data);
    }

    internal static void OpenFolder(LaunchPlan plan, byte root, string target, bool own, byte place)
    {
        if (own) PlacePlanner.OpenOrMakeFolder(plan, root, target, place);
        else plan.Add(PlacePlanner.Open(plan, root, target, place));
    }

    private static byte TakeBind(LaunchPlan plan, BindMount bind)
    {
        var register = plan.NewRegister();
        var recursive = bind.Recursive ? (uint)Linux.AT_RECURSIVE : 0;
        var take = LaunchPlan.Syscall(Sys.open_tree, "take a folder or file from the host", bind.Source, Linux.AT_FDCWD, plan.Text(bind.Source),
            Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC | recursive).To(register);
        plan.Add(bind.IgnoreMissing ? take.Tolerate(Errno.ENOENT, Errno.ENOTDIR) : take);
        var first = plan.Steps.Length;
        RestrictionPlanner.Restrict(plan, register, bind.Source, "restrict it", bind.Recursive, Attributes(bind), optional: bind.IgnoreMissing);
        if (!bind.IgnoreMissing) return register;
        // Any number but 0, which a register holds that was never set, and which may be free here.
        plan.Add(LaunchPlan.Syscall(Sys.fcntl, "note that it was there", bind.Source, Argument.Register(register), Linux.F_DUPFD_CLOEXEC, 3).To(register));
        plan.SkipsFrom(first);
        return register;
    }

    /// <summary>A copy that the host has made and mapped itself, which a user namespace may not.</summary>
    private static byte TakeMapped(LaunchPlan plan, BindMount bind, int handle)
    {
        var register = TakePrepared(plan, bind.Source, handle);
        RestrictionPlanner.Restrict(plan, register, bind.Source, "restrict it", bind.Recursive, Attributes(bind));
        return register;
    }

    /// <summary>Moved to a descriptor that the program will not have.</summary>
    internal static byte TakePrepared(LaunchPlan plan, string path, int handle)
    {
        var register = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.fcntl, "take what the host has prepared", path, Argument.Handle(handle), Linux.F_DUPFD_CLOEXEC, 3).To(register));
        plan.Add(LaunchPlan.Syscall(Sys.close, "close the host's number of it", path, Argument.Handle(handle)));
        return register;
    }

    private static mount_attr Attributes(BindMount bind) => new()
    {
        attr_set = (bind.Writable ? 0 : Linux.MOUNT_ATTR_RDONLY) | (bind.AllowSetUserId ? 0 : Linux.MOUNT_ATTR_NOSUID) |
            (bind.AllowDevices ? 0 : Linux.MOUNT_ATTR_NODEV) | (bind.AllowExecution ? 0 : Linux.MOUNT_ATTR_NOEXEC),
        propagation = bind.Propagation switch { MountPropagation.Private => Linux.MS_PRIVATE, MountPropagation.FromHost => Linux.MS_SLAVE, _ => 0 },
    };

    /// <summary>A device node that cannot be opened, as its mount forbids devices: by nobody, whatever the mode says.</summary>
    private static byte TakeDenial(LaunchPlan plan)
    {
        const string source = "/dev/null";
        var register = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.open_tree, "take what cannot be opened", source, Linux.AT_FDCWD, plan.Text(source),
            Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC).To(register));
        RestrictionPlanner.Restrict(plan, register, source, "forbid devices there", recursive: false, new mount_attr
        {
            attr_set = Linux.MOUNT_ATTR_RDONLY | Linux.MOUNT_ATTR_NOSUID | Linux.MOUNT_ATTR_NODEV | Linux.MOUNT_ATTR_NOEXEC, propagation = Linux.MS_PRIVATE,
        }, held: 0);
        return register;
    }

    private static string Data(TmpfsMount tmpfs)
    {
        var data = string.Create(CultureInfo.InvariantCulture, $"mode={Convert.ToString((int)tmpfs.Mode, 8)},size={tmpfs.Size}");
        return tmpfs.Inodes is { } inodes ? string.Create(CultureInfo.InvariantCulture, $"{data},nr_inodes={inodes}") : data;
    }
}
