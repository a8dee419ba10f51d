using System.Runtime.CompilerServices;
using Isolation.Interop;
using Isolation.Stage;

namespace Isolation.Planning;

/// <summary>
/// pty(7): a terminal from the sandbox's own devpts instance. The side of the program never leaves the sandbox; the other one,
/// the master, is sent to the host by SCM_RIGHTS (unix(7)), which takes no privilege over the stage as pidfd_getfd(2) does, and
/// is gone from the sandbox before the program runs.
/// </summary>
internal static class TerminalPlanner
{
    internal const string OpenLabel = "open a terminal";
    internal const string CheckLabel = "check that it makes terminals";
    internal const string ControlLabel = "make the terminal the program's own";

    /// <summary>The devpts instance that Filesystem.Mounts brings, for who makes a /dev without <see cref="FilesystemOptions.PrivateDev"/>.</summary>
    internal const string InstancePath = "/dev/pts";

    private const string Path = "/dev/ptmx", OwnPath = "/dev/pts/ptmx";
    private const uint OpenFlags = Linux.O_RDWR | Linux.O_NOCTTY | Linux.O_CLOEXEC;

    /// <summary>Where a terminal can come from: an instance of the sandbox's own, or that of the host's tree.</summary>
    internal static bool HasSource(IsolationOptions options) =>
        (options.Namespaces & Namespaces.Mount) == 0 || options.Filesystem.PrivateDev || options.Filesystem.Root.IsHost || HasMountedInstance(options.Filesystem);

    /// <summary>The current directory is the private /dev. From now on no mount over it is in the way.</summary>
    internal static void HoldInstance(LaunchPlan plan, IsolationOptions options)
    {
        if (options.Terminal is null) return;
        var instance = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.openat, "hold the private devpts", InstancePath, Linux.AT_FDCWD, plan.Text("pts"), Linux.O_PATH | Linux.O_CLOEXEC).To(instance));
        plan.Terminal = new TerminalRegisters(instance, 0);
    }

    /// <summary>As the program's user, who thereby becomes the owner of the terminal.</summary>
    internal static void Open(LaunchPlan plan, IsolationOptions options)
    {
        if (options.Terminal is not { } terminal) return;
        var (master, peer) = (plan.NewRegister(), plan.NewRegister());
        var own = plan.Terminal.Instance != StageFormat.NoRegister;
        var path = own || HasMountedInstance(options.Filesystem) ? OwnPath : Path;
        plan.Add(own
            ? LaunchPlan.Syscall(Sys.openat, OpenLabel, path, Argument.Register(plan.Terminal.Instance), plan.Text("ptmx"), OpenFlags).To(master)
            : LaunchPlan.Syscall(Sys.openat2, OpenLabel, path, Linux.AT_FDCWD, plan.Text(path),
                plan.Struct(new open_how { flags = OpenFlags | Linux.O_NONBLOCK, resolve = Linux.RESOLVE_NO_MAGICLINKS }), 24).To(master));
        if (own) plan.Add(Close("let go of the private devpts", InstancePath, Argument.Register(plan.Terminal.Instance)));
        // Whatever a tree may have in its place, only a terminal is taken, and its other side by itself, never by a path (CVE-2025-52565).
        var status = plan.Buffer(256);
        plan.Add(LaunchPlan.Syscall(Sys.statx, "look at the terminal", path, Argument.Register(master), plan.Text(""), Linux.AT_EMPTY_PATH, Linux.STATX_TYPE, status));
        plan.Add(LaunchPlan.Check("check that it is a device", path, status, 28, 2, Linux.S_IFMT, Linux.S_IFCHR, Errno.ENXIO));
        plan.Add(LaunchPlan.Check(CheckLabel, path, status, 128, 8, ulong.MaxValue, 2ul << 32 | 5 /* char 5:2 */, Errno.ENXIO));
        if (path == OwnPath) CheckInstance(plan, path, master);
        plan.Add(Control(plan, "unlock the terminal", path, master, Linux.TIOCSPTLCK, plan.Struct(0)));
        plan.Add(Control(plan, "open its other side", path, master, Linux.TIOCGPTPEER, OpenFlags).To(peer));
        CheckInstance(plan, path, peer);
        plan.Add(Control(plan, "set the terminal's modes", path, peer, Linux.TCSETS2, plan.Struct(Modes())));
        plan.Add(Control(plan, "set the terminal's size", path, peer, Linux.TIOCSWINSZ,
            plan.Struct(new winsize { ws_col = (ushort)terminal.Columns, ws_row = (ushort)terminal.Rows })));
        Send(plan, path, master);
        plan.Add(Close("let go of the terminal's other side", path, Argument.Register(master)));
        plan.Terminal = plan.Terminal with { Peer = peer };
    }

    /// <summary>In the session that the program leads.</summary>
    internal static void MakeControlling(LaunchPlan plan, IsolationOptions options)
    {
        if (options.Terminal is not null) plan.Add(Control(plan, ControlLabel, null, plan.Terminal.Peer, Linux.TIOCSCTTY, 0));
    }

    private static bool HasMountedInstance(FilesystemOptions filesystem)
    {
        foreach (var mount in filesystem.Mounts)
            if (mount is KernelMount { Filesystem: KernelFilesystem.DevPts, Target: InstancePath }) return true;
        return false;
    }

    private static void CheckInstance(LaunchPlan plan, string path, byte register)
    {
        var status = plan.Buffer(120);
        plan.Add(LaunchPlan.Syscall(Sys.fstatfs, "look at where the terminal is", path, Argument.Register(register), status));
        plan.Add(LaunchPlan.Check("check that it is in a devpts", path, status, 0, 8, ulong.MaxValue, Linux.DEVPTS_SUPER_MAGIC, Errno.ENXIO));
    }

    private static void Send(LaunchPlan plan, string path, byte master)
    {
        const string label = "send the terminal to the host";
        var word = plan.Text("t");
        var part = plan.Struct(new iovec { iov_base = Pointer(word), iov_len = 1 });
        var size = Unsafe.SizeOf<cmsghdr>();
        var rights = plan.Struct(new cmsghdr { cmsg_len = (ulong)size + sizeof(int), cmsg_level = Linux.SOL_SOCKET, cmsg_type = Linux.SCM_RIGHTS });
        plan.Add(LaunchPlan.Store(label, plan.Buffer(8) /* right behind it: the descriptor */, Argument.Register(master)));
        plan.Add(LaunchPlan.Syscall(Sys.sendmsg, label, path, Argument.Handle(PlanHandle.Terminal), plan.Struct(new msghdr
        {
            msg_iov = Pointer(part), msg_iovlen = 1, msg_control = Pointer(rights), msg_controllen = (ulong)size + 8,
        }), Linux.MSG_NOSIGNAL));
        plan.Add(Close("close the way to the host", null, Argument.Handle(PlanHandle.Terminal)));
    }

    /// <summary>What the kernel gives every terminal, and characters of several bytes erased as one.</summary>
    private static termios2 Modes()
    {
        var modes = new termios2
        {
            c_iflag = Linux.ICRNL | Linux.IXON | Linux.IUTF8,
            c_oflag = Linux.OPOST | Linux.ONLCR,
            c_cflag = Linux.B38400 | Linux.CS8 | Linux.CREAD | Linux.HUPCL,
            c_lflag = Linux.ISIG | Linux.ICANON | Linux.ECHO | Linux.ECHOE | Linux.ECHOK | Linux.ECHOCTL | Linux.ECHOKE | Linux.IEXTEN,
            c_ispeed = 38400,
            c_ospeed = 38400,
        };
        ReadOnlySpan<(int Index, char Key)> keys =
        [
            (Linux.VINTR, 'C'), (Linux.VQUIT, '\\'), (Linux.VKILL, 'U'), (Linux.VEOF, 'D'), (Linux.VSTART, 'Q'), (Linux.VSTOP, 'S'), (Linux.VSUSP, 'Z'),
            (Linux.VREPRINT, 'R'), (Linux.VDISCARD, 'O'), (Linux.VWERASE, 'W'), (Linux.VLNEXT, 'V'),
        ];
        foreach (var (index, key) in keys) modes.c_cc[index] = (byte)(key & 0x1f);
        modes.c_cc[Linux.VERASE] = 0x7f;
        modes.c_cc[Linux.VMIN] = 1;
        return modes;
    }

    private static Step Control(LaunchPlan plan, string label, string? path, byte register, uint request, Argument argument) =>
        LaunchPlan.Syscall(Sys.ioctl, label, path, Argument.Register(register), request, argument);

    private static Step Close(string label, string? path, Argument descriptor) => LaunchPlan.Syscall(Sys.close, label, path, descriptor);

    private static ulong Pointer(Argument data) => StageFormat.DataPointer((int)data.Value);
}
