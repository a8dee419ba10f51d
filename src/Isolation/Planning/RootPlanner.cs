using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>
/// The tree that the program gets as its root. The host's own is made private and stays; any other is laid over it, becomes the
/// root by pivot_root(2), and the host's tree is detached: from there on no path and no link can lead back to it.
/// </summary>
internal static class RootPlanner
{
    internal const string GoneLabel = "check that the host's tree is gone";

    private const int MntDetach = 2; // no header for programs has MNT_DETACH

    /// <summary>Propagation, and read-only where asked, for every mount of the inherited tree in one call.</summary>
    internal static void Own(LaunchPlan plan, IsolationOptions options)
    {
        // Any other than the host's own tree is gone soon, and until then the better for being read-only.
        if (options.Filesystem.Root.Kind != RootKind.Host)
        {
            RestrictionPlanner.Tree(plan, "make the tree private and read-only",
                new mount_attr { attr_set = Linux.MOUNT_ATTR_RDONLY | Linux.MOUNT_ATTR_NOSUID, propagation = Linux.MS_PRIVATE });
        }
        else
        {
            plan.Add(LaunchPlan.Syscall(Sys.mount, "make the tree private", "/", plan.Text("none"), plan.Text("/"), 0, Linux.MS_REC | Linux.MS_PRIVATE, 0));
        }
    }

    /// <summary>The folder that becomes the root, as a tree of its own. While the host's tree can still be seen.</summary>
    /// <returns>The registers that hold the tree and the folder for changes, where there are such.</returns>
    internal static (byte Tree, byte Changes) Take(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        var root = options.Filesystem.Root;
        var changes = OverlayPlanner.TakeChanges(plan, root);
        if (root.Kind == RootKind.ImageFile) return (MountPlanner.TakePrepared(plan, root.Folders[0], PreparedMounts.Handle(options, null)), changes);
        if (root.Kind != RootKind.Directory || NeedsOverlay(root, facts)) return (0, changes);
        var path = root.Folders[0];
        var register = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.open_tree, "take the root from the host", path, Linux.AT_FDCWD, plan.Text(path),
            Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC | Linux.AT_RECURSIVE).To(register));
        var attributes = Linux.MOUNT_ATTR_NOSUID | Linux.MOUNT_ATTR_NODEV | (root.Access == RootAccess.ReadOnly ? Linux.MOUNT_ATTR_RDONLY : 0);
        RestrictionPlanner.Restrict(plan, register, path, "restrict the root", recursive: true, new mount_attr { attr_set = attributes, propagation = Linux.MS_PRIVATE });
        return (register, changes);
    }

    /// <summary>What a private /dev takes from the host's tree, which then can do without device nodes of its own.</summary>
    internal static void TakeDevices(LaunchPlan plan, IsolationOptions options)
    {
        ProcPlanner.TakeMasks(plan, options);
        if (!options.Filesystem.PrivateDev) return;
        DevicePlanner.TakeFromHost(plan, options.Filesystem);
        // With these in hand, no device node that lies elsewhere in the host's tree is needed, a disk's least of all: reading it
        // takes no capability, only the right user. A tree that stays writable stays as it is.
        if (options.Filesystem.Root.Kind == RootKind.HostReadOnly)
            RestrictionPlanner.Tree(plan, "make the device nodes of the tree unusable", new mount_attr { attr_set = Linux.MOUNT_ATTR_NODEV });
    }

    /// <summary>Puts the root together, makes it the root, and lets go of the host's tree.</summary>
    internal static void Enter(LaunchPlan plan, IsolationOptions options, in HostFacts facts, (byte Tree, byte Changes) taken)
    {
        var root = options.Filesystem.Root;
        if (root.Kind == RootKind.Empty)
        {
            OverlayPlanner.EnterTmpfs(plan, "mount an empty root", root.Size);
        }
        else if (NeedsOverlay(root, facts))
        {
            OverlayPlanner.Mount(plan, root, taken.Changes, options, "root", root.Kind == RootKind.ImageFile ? taken.Tree : null);
            plan.Add(LaunchPlan.Syscall(Sys.chdir, "go to the root", null, plan.Text("root")));
        }
        else
        {
            plan.Add(LaunchPlan.Syscall(Sys.move_mount, "lay the root over the host's tree", root.Folders[0], Argument.Register(taken.Tree), plan.Text(""),
                Linux.AT_FDCWD, plan.Text("/"), Linux.MOVE_MOUNT_F_EMPTY_PATH));
            plan.Add(LaunchPlan.Syscall(Sys.fchdir, "go to the root", root.Folders[0], Argument.Register(taken.Tree)));
        }

        // pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one, where it can be detached.
        var here = plan.Text(".");
        plan.Add(LaunchPlan.Syscall(Sys.pivot_root, "make it the root", "/", here, here));
        // What is on top goes first: over the host's tree lies the scratch file system in which overlayfs was given its folders.
        if (NeedsOverlay(root, facts)) plan.Add(LaunchPlan.Syscall(Sys.umount2, "let go of the place for changes", "/", here, MntDetach));
        plan.Add(LaunchPlan.Syscall(Sys.umount2, "let go of the host's tree", "/", here, MntDetach));
        plan.Add(LaunchPlan.Syscall(Sys.chdir, "go to the new root", "/", plan.Text("/")));
        // The way up from the root leads to what lies over it, which must be nothing. Where somebody has mounted over the host's own
        // root (mount --bind / /), only that is gone by now and the host's tree is still there.
        plan.Add(LaunchPlan.Syscall(Sys.openat2, GoneLabel, "/", Linux.AT_FDCWD, plan.Text("/.."),
            plan.Struct(new open_how { flags = Linux.O_PATH | Linux.O_CLOEXEC, resolve = Linux.RESOLVE_NO_XDEV }), 24).To(LaunchPlan.Scratch));
    }

    /// <summary>A root that was writable only so that mount points could be made in its uppermost layer.</summary>
    internal static void Seal(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        var root = options.Filesystem.Root;
        if (root.Access != RootAccess.ReadOnly || !NeedsOverlay(root, facts)) return;
        RestrictionPlanner.Own(plan, "/", "/", "make the root read-only", held: Linux.MS_NOSUID | Linux.MS_NODEV);
    }

    /// <summary>
    /// Copy on write, several layers, or a read-only folder without the mount points that are needed: rather than make
    /// them in the host's folder, they are shown in a thin layer over it.
    /// </summary>
    internal static bool NeedsOverlay(Root root, in HostFacts facts) => root.Kind switch
    {
        RootKind.Layers => true,
        RootKind.Directory => root.Access == RootAccess.CopyOnWrite || root.Access == RootAccess.ReadOnly && facts.RootLacksMountPoints,
        RootKind.ImageFile => root.Access == RootAccess.CopyOnWrite || facts.RootLacksMountPoints,
        _ => false,
    };
}
