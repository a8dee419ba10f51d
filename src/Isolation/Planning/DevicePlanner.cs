using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>A minimal /dev: the devices every program expects, a terminal instance of its own, shared memory of its own.</summary>
internal static class DevicePlanner
{
    /// <summary>Registers from here on are for devices, reserved between the two halves; below they are given out in turn.</summary>
    internal const byte FirstDevice = 200;

    private static readonly string[] s_devices = ["null", "zero", "full", "random", "urandom", "tty"];

    /// <summary>Detached copies of the host's device nodes; a user namespace may not make nodes of its own.</summary>
    internal static void TakeFromHost(LaunchPlan plan)
    {
        for (byte i = 0; i < s_devices.Length; i++)
        {
            var path = "/dev/" + s_devices[i];
            plan.Add(LaunchPlan.Syscall(Sys.open_tree, "take a device from the host", path, Linux.AT_FDCWD, plan.Text(path), Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC)
                .To((byte)(FirstDevice + i)));
        }
    }

    internal static void Populate(LaunchPlan plan, FilesystemOptions filesystem)
    {
        plan.Add(LaunchPlan.Syscall(Sys.mount, "mount a private /dev", "/dev", plan.Text("tmpfs"), plan.Text("/dev"), plan.Text("tmpfs"),
            Linux.MS_NOSUID | Linux.MS_NOEXEC, plan.Text("mode=755,size=65536,nr_inodes=256")));
        var empty = plan.Text("");
        for (byte i = 0; i < s_devices.Length; i++)
        {
            var path = "/dev/" + s_devices[i];
            var text = plan.Text(path);
            plan.Add(LaunchPlan.Syscall(Sys.mknodat, "make a place for a device", path, Linux.AT_FDCWD, text, Linux.S_IFREG | 0x1b6 /* 0666 */, 0));
            plan.Add(LaunchPlan.Syscall(Sys.move_mount, "put a device in place", path, Argument.Register((byte)(FirstDevice + i)), empty, Linux.AT_FDCWD, text,
                Linux.MOVE_MOUNT_F_EMPTY_PATH));
        }

        Directory(plan, "/dev/pts");
        plan.Add(LaunchPlan.Syscall(Sys.mount, "mount a private devpts", "/dev/pts", plan.Text("devpts"), plan.Text("/dev/pts"), plan.Text("devpts"),
            Linux.MS_NOSUID | Linux.MS_NOEXEC, plan.Text("newinstance,ptmxmode=0666,mode=0620")));
        Directory(plan, "/dev/shm");
        plan.Add(LaunchPlan.Syscall(Sys.mount, "mount private shared memory", "/dev/shm", plan.Text("tmpfs"), plan.Text("/dev/shm"), plan.Text("tmpfs"),
            Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC, plan.Text($"mode=1777,size={filesystem.SharedMemorySize}")));
        Link(plan, "pts/ptmx", "/dev/ptmx");
        Link(plan, "/proc/self/fd", "/dev/fd");
        Link(plan, "/proc/self/fd/0", "/dev/stdin");
        Link(plan, "/proc/self/fd/1", "/dev/stdout");
        Link(plan, "/proc/self/fd/2", "/dev/stderr");
    }

    private static void Directory(LaunchPlan plan, string path) =>
        plan.Add(LaunchPlan.Syscall(Sys.mkdirat, "make a folder", path, Linux.AT_FDCWD, plan.Text(path), 0x1ed /* 0755 */));

    private static void Link(LaunchPlan plan, string target, string path) =>
        plan.Add(LaunchPlan.Syscall(Sys.symlinkat, "make a link", path, plan.Text(target), Linux.AT_FDCWD, plan.Text(path)));
}
