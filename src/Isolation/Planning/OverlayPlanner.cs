using System.Globalization;
using System.Text;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>
/// overlayfs. It takes its folders by path, and a path of the host may be long, or contain the characters that separate
/// options: so they are named by links in a scratch tmpfs, which is the current directory meanwhile and holds the changes, too.
/// </summary>
internal static class OverlayPlanner
{
    /// <summary>
    /// A tmpfs over the root of the host's tree, as the current directory. The way up from the root ("/..") leads to what is mounted
    /// on it; "/" itself does not.
    /// </summary>
    internal static void EnterTmpfs(LaunchPlan plan, string label, long size)
    {
        plan.Add(LaunchPlan.Syscall(Sys.mount, label, "/", plan.Text("tmpfs"), plan.Text("/"), plan.Text("tmpfs"),
            Linux.MS_NOSUID | Linux.MS_NODEV, plan.Text(string.Create(CultureInfo.InvariantCulture, $"mode=755,size={size}"))));
        plan.Add(LaunchPlan.Syscall(Sys.chdir, "go to it", null, plan.Text("/..")));
    }

    /// <summary>Away from the scratch file system and with it: what was taken from it lives on by itself.</summary>
    internal static void LeaveTmpfs(LaunchPlan plan)
    {
        plan.Add(LaunchPlan.Syscall(Sys.umount2, "let go of it", null, plan.Text("."), 2 /* MNT_DETACH */));
        plan.Add(LaunchPlan.Syscall(Sys.chdir, "go back", null, plan.Text("/")));
    }

    /// <summary>Mounts <paramref name="layers"/>, with what <see cref="TakeChanges"/> has taken, at <paramref name="name"/> in a scratch tmpfs of its own, which becomes the current directory.</summary>
    internal static void Mount(LaunchPlan plan, Root layers, byte changes, IsolationOptions options, string name, byte? image = null)
    {
        EnterTmpfs(plan, "mount a place for changes", layers.Size);
        var data = new StringBuilder("lowerdir=");
        for (var i = layers.Folders.Length - 1; i >= 0; i--)
        {
            var link = string.Create(CultureInfo.InvariantCulture, $"l{i}");
            data.Append(link).Append(i == 0 ? "" : ":");
            if (image is { } mounted)
            {
                Folder(plan, link, null);
                plan.Add(LaunchPlan.Syscall(Sys.move_mount, "attach the image", layers.Folders[i], Argument.Register(mounted), plan.Text(""),
                    Linux.AT_FDCWD, plan.Text(link), Linux.MOVE_MOUNT_F_EMPTY_PATH));
                continue;
            }

            plan.Add(LaunchPlan.Syscall(Sys.symlinkat, "name a layer", layers.Folders[i], plan.Text(layers.Folders[i]), Linux.AT_FDCWD, plan.Text(link)));
        }

        if (layers.Changes is { } folder)
        {
            // Of the host: made there as ordinary folders, and only if they are missing.
            Folder(plan, "changes", null);
            plan.Add(LaunchPlan.Syscall(Sys.move_mount, "attach the folder for changes", folder, Argument.Register(changes), plan.Text(""),
                Linux.AT_FDCWD, plan.Text("changes"), Linux.MOVE_MOUNT_F_EMPTY_PATH));
            Folder(plan, "changes/upper", folder + "/upper");
            Folder(plan, "changes/work", folder + "/work");
            data.Append(",upperdir=changes/upper,workdir=changes/work");
        }
        else
        {
            Folder(plan, "upper", null);
            Folder(plan, "work", null);
            data.Append(",upperdir=upper,workdir=work");
        }

        // What overlayfs notes at files is in trusted.* attributes, which a user namespace may not touch. Linux 5.11.
        if ((options.Namespaces & Namespaces.User) != 0) data.Append(",userxattr");
        Folder(plan, name, null);
        plan.Add(LaunchPlan.Syscall(Sys.mount, "lay the layers over one another", layers.Folders[^1], plan.Text("overlay"), plan.Text(name), plan.Text("overlay"),
            Linux.MS_NOSUID | Linux.MS_NODEV, plan.Text(data.ToString())));
    }

    private static void Folder(LaunchPlan plan, string path, string? shown) =>
        plan.Add(LaunchPlan.Syscall(Sys.mkdirat, "make a folder for changes", shown, Linux.AT_FDCWD, plan.Text(path), 0x1ed /* 0755 */).Tolerate(Errno.EEXIST));

    /// <summary>The folder that keeps the changes, writable while the rest of the host's tree no longer is. Any register where there is none.</summary>
    internal static byte TakeChanges(LaunchPlan plan, Root layers)
    {
        if (layers.Changes is not { } folder) return LaunchPlan.Scratch;
        var register = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.open_tree, "take the folder for changes", folder, Linux.AT_FDCWD, plan.Text(folder),
            Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC).To(register));
        RestrictionPlanner.Restrict(plan, register, folder, "make it private", recursive: false, new mount_attr { propagation = Linux.MS_PRIVATE });
        return register;
    }
}
