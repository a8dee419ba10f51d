using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>
/// Finds, and where allowed makes, the place that something is mounted on. Looked up inside the root by openat2(2), so that no
/// link there leads out of it, and then used by descriptor, so that nobody can exchange it meanwhile (CVE-2021-30465).
/// </summary>
internal static class PlacePlanner
{
    internal const ulong Inside = Linux.RESOLVE_IN_ROOT | Linux.RESOLVE_NO_MAGICLINKS;

    /// <summary>The sandbox's root directory, from which places are looked up.</summary>
    internal static byte OpenRoot(LaunchPlan plan)
    {
        var root = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.openat, "open the root", "/", Linux.AT_FDCWD, plan.Text("/"), Linux.O_PATH | Linux.O_CLOEXEC).To(root));
        return root;
    }

    /// <summary>
    /// openat2(2), EAGAIN: on the way up by "..", which the links of images are full of (/var/run -> ../run), the kernel gives up
    /// when anybody on the machine has mounted or renamed something meanwhile, as every other start does.
    /// </summary>
    internal const int Patience = 10_000;

    /// <summary>Opens a place that must exist.</summary>
    internal static Step Open(LaunchPlan plan, byte root, string path, byte to, ulong resolve = Inside, string label = "find the place of a mount") =>
        LaunchPlan.Syscall(Sys.openat2, label, path, Argument.Register(root), plan.Text(path),
            plan.Struct(new open_how { flags = Linux.O_PATH | Linux.O_CLOEXEC, resolve = resolve }), 24).To(to).TryAgain(Patience);

    /// <summary>A folder, made with all that lead to it where they are missing.</summary>
    internal static void OpenOrMakeFolder(LaunchPlan plan, byte root, string path, byte to, ulong resolve = Inside, uint mode = 0x1ed)
    {
        plan.Add(Open(plan, root, path, to, resolve).Tolerate(Errno.ENOENT));
        var first = plan.Steps.Length;
        var parent = MakeParents(plan, root, path, to);
        plan.Add(Make(plan, parent, path, Linux.S_IFDIR, mode));
        if (parent == to) Close(plan, path, to);
        plan.Add(Open(plan, root, path, to, resolve));
        plan.DoneSkipsFrom(first);
    }

    /// <summary>A place for what is in a register: a folder for a folder, an empty file for anything else.</summary>
    internal static void OpenOrMakeLike(LaunchPlan plan, byte root, string path, byte to, byte source)
    {
        plan.Add(Open(plan, root, path, to).Tolerate(Errno.ENOENT));
        var first = plan.Steps.Length;
        var parent = MakeParents(plan, root, path, to);
        var buffer = plan.Buffer(256);
        plan.Add(LaunchPlan.Syscall(Sys.statx, "look at what is mounted", path, Argument.Register(source), plan.Text(""), Linux.AT_EMPTY_PATH, Linux.STATX_TYPE, buffer));
        plan.Add(LaunchPlan.Check("is it a folder", path, buffer, 28, 2, Linux.S_IFMT, Linux.S_IFDIR, Errno.ENOTDIR).Tolerate(Errno.ENOTDIR).SkipNext(1));
        plan.Add(Make(plan, parent, path, Linux.S_IFDIR, 0x1ed /* 0755 */).DoneSkips(1).SkipNext(1));
        plan.Add(Make(plan, parent, path, Linux.S_IFREG, 0x1a4 /* 0644 */));
        if (parent == to) Close(plan, path, to);
        plan.Add(Open(plan, root, path, to));
        plan.DoneSkipsFrom(first);
    }

    /// <summary>Makes what is missing above a path. Each folder is opened before the next is made in it, never beyond the root.</summary>
    /// <returns>The register that holds the folder the path's last part is in: <paramref name="scratch"/>, or the root.</returns>
    internal static byte MakeParents(LaunchPlan plan, byte root, string path, byte scratch)
    {
        var parent = root;
        for (var end = path.IndexOf('/', 1); end > 0; end = path.IndexOf('/', end + 1))
        {
            var prefix = path[..end];
            plan.Add(Make(plan, parent, prefix, Linux.S_IFDIR, 0x1ed /* 0755 */));
            if (parent == scratch) Close(plan, prefix, scratch);
            plan.Add(Open(plan, root, prefix, scratch));
            parent = scratch;
        }

        return parent;
    }

    /// <summary>What is covered must not stay open: until it is executed, a program could be named through /proc/self/fd, below the cover.</summary>
    internal static void Close(LaunchPlan plan, string path, byte place) =>
        plan.Add(LaunchPlan.Syscall(Sys.close, "let go of the place of a mount", path, Argument.Register(place)));

    internal static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static Step Make(LaunchPlan plan, byte parent, string path, uint type, uint mode) => (type == Linux.S_IFDIR
        ? LaunchPlan.Syscall(Sys.mkdirat, "make a place for a mount", path, Argument.Register(parent), plan.Text(Name(path)), mode)
        : LaunchPlan.Syscall(Sys.mknodat, "make a place for a mount", path, Argument.Register(parent), plan.Text(Name(path)), type | mode, 0)).Tolerate(Errno.EEXIST);
}
