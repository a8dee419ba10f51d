using System.Globalization;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>Files from memory, folders, links, and paths that are denied.</summary>
internal static class ContentPlanner
{
    private const long Page = 64 * 1024; // the largest there is

    /// <summary>Written to a tmpfs that nobody else sees, then taken from there one by one.</summary>
    internal static void MakeFiles(LaunchPlan plan, IsolationOptions options)
    {
        var mounts = options.Filesystem.Mounts;
        var size = 0L;
        foreach (var mount in mounts)
            if (mount is FileMount file) size += (file.Content.Length + 2 * Page - 1) / Page * Page;
        if (size == 0) return;

        OverlayPlanner.EnterTmpfs(plan, "mount a place for files from memory", size + 16 * Page);
        for (var i = 0; i < mounts.Count; i++)
        {
            if (mounts[i] is not FileMount file) continue;
            const byte open = LaunchPlan.Scratch;
            var name = plan.Text(string.Create(CultureInfo.InvariantCulture, $"f{i}"));
            plan.Add(LaunchPlan.Syscall(Sys.openat, "make a file from memory", file.Target, Linux.AT_FDCWD, name,
                Linux.O_WRONLY | Linux.O_CREAT | Linux.O_EXCL | Linux.O_CLOEXEC, (uint)file.Mode).To(open));
            if (file.Content.Length > 0)
                plan.Add(LaunchPlan.Syscall(Sys.write, "write a file from memory", file.Target, Argument.Register(open), plan.Bytes(file.Content.Span), file.Content.Length));
            Own(plan, file.Target, open, file.UserId, file.GroupId);
            plan.Add(LaunchPlan.Syscall(Sys.close, "close the file from memory", file.Target, Argument.Register(open)));
            plan.Sources[i] = plan.NewRegister();
            plan.Add(LaunchPlan.Syscall(Sys.open_tree, "take the file from memory", file.Target, Linux.AT_FDCWD, name,
                Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC).To(plan.Sources[i]));
            RestrictionPlanner.Restrict(plan, plan.Sources[i], file.Target, "make the file read-only", recursive: false,
                new mount_attr { attr_set = Linux.MOUNT_ATTR_RDONLY | Linux.MOUNT_ATTR_NOSUID | Linux.MOUNT_ATTR_NODEV }, held: 0);
        }

        OverlayPlanner.LeaveTmpfs(plan);
    }

    internal static void Place(LaunchPlan plan, IsolationOptions options, byte root, int index, byte source, bool own)
    {
        var mount = options.Filesystem.Mounts[index];
        const byte place = LaunchPlan.Scratch;
        switch (mount)
        {
            case DirectoryMount folder:
                MakeFolder(plan, root, folder, own);
                break;
            case SymbolicLinkMount link:
                var parent = PlacePlanner.MakeParents(plan, root, link.Target, place);
                plan.Add(LaunchPlan.Syscall(Sys.symlinkat, "make a link", link.Target, plan.Text(link.PointsTo), Argument.Register(parent), plan.Text(PlacePlanner.Name(link.Target))));
                if (parent == place) PlacePlanner.Close(plan, link.Target, place);
                break;
            case DeniedPath:
                Deny(plan, root, mount.Target, source, own, Ownership.IsHostsAndWritable(options, index));
                break;
        }
    }

    private static void MakeFolder(LaunchPlan plan, byte root, DirectoryMount folder, bool own)
    {
        const byte place = LaunchPlan.Scratch;
        plan.Add(own ? PlacePlanner.Open(plan, root, folder.Target, place, label: "look for a folder").Tolerate(Errno.ENOENT).SkipNext(1)
            : PlacePlanner.Open(plan, root, folder.Target, place, label: "look for a folder"));
        PlacePlanner.Close(plan, folder.Target, place);
        if (!own) return;
        var first = plan.Steps.Length;
        var parent = PlacePlanner.MakeParents(plan, root, folder.Target, place);
        plan.Add(LaunchPlan.Syscall(Sys.mkdirat, "make a folder", folder.Target, Argument.Register(parent), plan.Text(PlacePlanner.Name(folder.Target)), (uint)folder.Mode));
        if (parent == place) PlacePlanner.Close(plan, folder.Target, place);
        if (folder.UserId is not null || folder.GroupId is not null)
        {
            plan.Add(PlacePlanner.Open(plan, root, folder.Target, place, label: "open the folder"));
            Own(plan, folder.Target, place, folder.UserId, folder.GroupId);
            PlacePlanner.Close(plan, folder.Target, place);
        }

        plan.DoneSkipsFrom(first);
    }

    private static void Own(LaunchPlan plan, string path, byte register, uint? user, uint? group)
    {
        if (user is null && group is null) return;
        plan.Add(LaunchPlan.Syscall(Sys.fchownat, "set the owner", path, Argument.Register(register), plan.Text(""), user ?? uint.MaxValue, group ?? uint.MaxValue, Linux.AT_EMPTY_PATH));
    }

    /// <summary>A folder is covered by an empty one that nobody may list, a file by one that nobody may open.</summary>
    private static void Deny(LaunchPlan plan, byte root, string target, byte source, bool own, bool hostsAndWritable)
    {
        const byte place = LaunchPlan.Scratch;
        var empty = plan.Text("");
        var first = plan.Steps.Length + 1;
        if (own && !hostsAndWritable)
            PlacePlanner.OpenOrMakeLike(plan, root, target, place, source);
        else if (hostsAndWritable)
            plan.Add(PlacePlanner.Open(plan, root, target, place, label: "find what is denied"));
        else
            // What does not exist cannot be made either, as nothing can be written here.
            plan.Add(PlacePlanner.Open(plan, root, target, place, label: "find what is denied").Tolerate(Errno.ENOENT, Errno.ENOTDIR));
        var tolerated = !own && !hostsAndWritable;
        var buffer = plan.Buffer(256);
        plan.Add(LaunchPlan.Syscall(Sys.statx, "look at what is denied", target, Argument.Register(place), empty, Linux.AT_EMPTY_PATH, Linux.STATX_TYPE, buffer));
        plan.Add(LaunchPlan.Check("is it a folder", target, buffer, 28, 2, Linux.S_IFMT, Linux.S_IFDIR, Errno.ENOTDIR).Tolerate(Errno.ENOTDIR).SkipNext(2));
        plan.Add(LaunchPlan.Syscall(Sys.fchdir, "go to what is denied", target, Argument.Register(place)));
        plan.Add(LaunchPlan.Syscall(Sys.mount, "deny a folder", target, plan.Text("tmpfs"), plan.Text("."), plan.Text("tmpfs"),
            Linux.MS_RDONLY | Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC, plan.Text("nr_inodes=1,mode=000")).DoneSkips(1));
        plan.Add(LaunchPlan.Syscall(Sys.move_mount, "deny a file", target, Argument.Register(source), empty, Argument.Register(place), empty,
            Linux.MOVE_MOUNT_F_EMPTY_PATH | Linux.MOVE_MOUNT_T_EMPTY_PATH));
        PlacePlanner.Close(plan, target, place);
        if (tolerated) plan.Steps[first - 1].Skip = (ushort)(plan.Steps.Length - first);
    }
}
