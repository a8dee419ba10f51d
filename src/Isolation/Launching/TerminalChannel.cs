using Isolation.Interop;
using Isolation.Supervision;

namespace Isolation.Launching;

/// <summary>
/// The socket pair through which the stage sends the master of the sandbox's terminal. The stage does not wait for the host: what it
/// has sent is there when the program runs.
/// </summary>
internal struct TerminalChannel
{
    private const string Label = "take over the sandbox's terminal";

    private int _ours, _theirs; // +1, so that a channel that was never opened has none

    /// <summary>Returns the stage's end.</summary>
    internal int Open()
    {
        Span<int> ends = stackalloc int[2];
        var result = Kernel.socketpair(Linux.AF_UNIX, Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC, ends);
        if (result < 0) throw LaunchFailure.Host("open a socket pair for the terminal", "socketpair", -result);
        result = Kernel.AboveStandard(ends);
        if (result < 0) throw LaunchFailure.Host("move a socket pair for the terminal", "fcntl", -result);
        (_ours, _theirs) = (ends[0] + 1, ends[1] + 1);
        return ends[1];
    }

    /// <summary>After the child has its copy.</summary>
    internal void CloseTheirs() => Close(ref _theirs);

    internal void Close()
    {
        Close(ref _ours);
        Close(ref _theirs);
    }

    /// <summary>When the stage is done: the terminal, or null when there is none.</summary>
    internal Terminal? Take()
    {
        if (_ours == 0) return null;
        var master = Kernel.AboveStandard(Receive());
        if (master < 0) throw LaunchFailure.Host(Label, "recvmsg", -master);
        var writer = -1;
        try
        {
            // The flag belongs to the open file, of which nobody else has a descriptor any more.
            var result = Kernel.fcntl(master, Linux.F_SETFL, Linux.O_RDWR | Linux.O_NONBLOCK);
            if (result < 0) throw LaunchFailure.Host(Label, "fcntl", -result);
            // epoll waits for one thing at a time for each descriptor of a file, and the two directions wait by themselves.
            writer = Kernel.fcntl(master, Linux.F_DUPFD_CLOEXEC, 3);
            if (writer < 0) throw LaunchFailure.Host(Label, "fcntl", -writer);
            var terminal = new Terminal(master, writer);
            (master, writer) = (-1, -1);
            Close();
            return terminal;
        }
        finally
        {
            Close(master);
            Close(writer);
        }
    }

    private readonly unsafe int Receive()
    {
        byte word;
        var part = new iovec { iov_base = (ulong)&word, iov_len = 1 };
        var control = stackalloc byte[sizeof(cmsghdr) + 8];
        var header = (cmsghdr*)control;
        var message = new msghdr { msg_iov = (ulong)&part, msg_iovlen = 1, msg_control = (ulong)control, msg_controllen = (ulong)sizeof(cmsghdr) + 8 };
        var result = Kernel.recvmsg(_ours - 1, &message, Linux.MSG_DONTWAIT | Linux.MSG_CMSG_CLOEXEC);
        if (result < 0) return (int)result;
        var complete = message.msg_controllen >= (ulong)sizeof(cmsghdr) + sizeof(int) && header->cmsg_level == Linux.SOL_SOCKET && header->cmsg_type == Linux.SCM_RIGHTS;
        // Truncated: this process has no descriptor to spare.
        return complete ? *(int*)(header + 1) : -(int)((message.msg_flags & Linux.MSG_CTRUNC) != 0 ? Errno.EMFILE : Errno.EIO);
    }

    private static void Close(ref int end)
    {
        if (end > 0) _ = Kernel.close(end - 1);
        end = 0;
    }

    private static void Close(int fd)
    {
        if (fd >= 0) _ = Kernel.close(fd);
    }
}
