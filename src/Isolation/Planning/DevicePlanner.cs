using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>A minimal /dev: the devices every program expects, a terminal instance of its own, shared memory of its own.</summary>
internal static class DevicePlanner
{
    /// <summary>Registers from here on are for devices, reserved between the two halves; below they are given out in turn. The first is the null device.</summary>
    internal const byte FirstDevice = 200;

    internal const int MaxExtra = 32;

    private static readonly string[] s_devices = ["null", "zero", "full", "random", "urandom", "tty"];

    /// <summary>Detached copies of the host's device nodes; a user namespace may not make nodes of its own.</summary>
    internal static void TakeFromHost(LaunchPlan plan, FilesystemOptions filesystem)
    {
        for (var i = 0; i < s_devices.Length; i++) Take(plan, s_devices[i], i);
        for (var i = 0; i < filesystem.Devices.Count; i++) Take(plan, filesystem.Devices[i], s_devices.Length + i);
    }

    private static void Take(LaunchPlan plan, string name, int index)
    {
        var path = "/dev/" + name;
        plan.Add(LaunchPlan.Syscall(Sys.open_tree, "take a device from the host", path, Linux.AT_FDCWD, plan.Text(path), Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC)
            .To((byte)(FirstDevice + index)));
    }

    internal static void Populate(LaunchPlan plan, IsolationOptions options, byte root)
    {
        var filesystem = options.Filesystem;
        Mount(plan, filesystem.Root, root);
        for (var i = 0; i < s_devices.Length; i++) Place(plan, s_devices[i], i);
        for (var i = 0; i < filesystem.Devices.Count; i++)
        {
            var name = filesystem.Devices[i];
            for (var end = name.IndexOf('/'); end > 0; end = name.IndexOf('/', end + 1))
                plan.Add(Directory(plan, name[..end]).Tolerate(Errno.EEXIST));
            Place(plan, name, s_devices.Length + i);
        }

        plan.Add(Directory(plan, "pts"));
        plan.Add(LaunchPlan.Syscall(Sys.mount, "mount a private devpts", "/dev/pts", plan.Text("devpts"), plan.Text("pts"), plan.Text("devpts"),
            Linux.MS_NOSUID | Linux.MS_NOEXEC, plan.Text("newinstance,ptmxmode=0666,mode=0620")));
        TerminalPlanner.HoldInstance(plan, options);
        plan.Add(Directory(plan, "shm"));
        plan.Add(LaunchPlan.Syscall(Sys.mount, "mount private shared memory", "/dev/shm", plan.Text("tmpfs"), plan.Text("shm"), plan.Text("tmpfs"),
            Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC, plan.Text($"mode=1777,size={filesystem.SharedMemorySize}")));
        Link(plan, "pts/ptmx", "ptmx");
        if (options.Terminal is not null) Link(plan, "pts/0", "console"); // the first terminal of a new instance
        Link(plan, "/proc/self/fd", "fd");
        Link(plan, "/proc/self/fd/0", "stdin");
        Link(plan, "/proc/self/fd/1", "stdout");
        Link(plan, "/proc/self/fd/2", "stderr");
    }

    /// <summary>A tmpfs at /dev, which becomes the current directory: what follows is done in it, whatever its path leads to.</summary>
    private static void Mount(LaunchPlan plan, Root tree, byte root)
    {
        const string path = "/dev";
        const string label = "mount a private /dev";
        if (!tree.IsForeign)
        {
            plan.Add(LaunchPlan.Syscall(Sys.mount, label, path, plan.Text("tmpfs"), plan.Text(path), plan.Text("tmpfs"),
                Linux.MS_NOSUID | Linux.MS_NOEXEC, plan.Text("mode=755,size=65536,nr_inodes=256")));
            plan.Add(LaunchPlan.Syscall(Sys.chdir, "go to it", path, plan.Text(path)));
            return;
        }

        // A link in its place is no mistake that an honest root contains: nothing may be made where it leads.
        PlacePlanner.OpenOrMakeFolder(plan, root, path, LaunchPlan.Scratch, PlacePlanner.Inside | Linux.RESOLVE_NO_SYMLINKS);
        var context = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.fsopen, label, path, plan.Text("tmpfs"), Linux.FSOPEN_CLOEXEC).To(context));
        ProcPlanner.Configure(plan, context, path, "mode", "755");
        ProcPlanner.Configure(plan, context, path, "size", "65536");
        ProcPlanner.Configure(plan, context, path, "nr_inodes", "256");
        plan.Add(LaunchPlan.Syscall(Sys.fsconfig, label, path, Argument.Register(context), Linux.FSCONFIG_CMD_CREATE, 0, 0, 0));
        plan.Add(LaunchPlan.Syscall(Sys.fsmount, label, path, Argument.Register(context), Linux.FSMOUNT_CLOEXEC, Linux.MOUNT_ATTR_NOSUID | Linux.MOUNT_ATTR_NOEXEC).To(context));
        ProcPlanner.AttachToScratch(plan, context, path, label);
    }

    private static void Place(LaunchPlan plan, string name, int index)
    {
        var path = "/dev/" + name;
        var text = plan.Text(name);
        plan.Add(LaunchPlan.Syscall(Sys.mknodat, "make a place for a device", path, Linux.AT_FDCWD, text, Linux.S_IFREG | 0x1b6 /* 0666 */, 0));
        plan.Add(LaunchPlan.Syscall(Sys.move_mount, "put a device in place", path, Argument.Register((byte)(FirstDevice + index)), plan.Text(""), Linux.AT_FDCWD, text,
            Linux.MOVE_MOUNT_F_EMPTY_PATH));
    }

    private static Step Directory(LaunchPlan plan, string name) =>
        LaunchPlan.Syscall(Sys.mkdirat, "make a folder", "/dev/" + name, Linux.AT_FDCWD, plan.Text(name), 0x1ed /* 0755 */);

    private static void Link(LaunchPlan plan, string target, string name) =>
        plan.Add(LaunchPlan.Syscall(Sys.symlinkat, "make a link", "/dev/" + name, plan.Text(target), Linux.AT_FDCWD, plan.Text(name)));
}
