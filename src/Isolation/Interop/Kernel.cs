using System.Runtime.CompilerServices;
using System.Text;

namespace Isolation.Interop;

/// <summary>
/// Thin typed fronts of the syscalls that the host itself issues. Each returns what the kernel returns: a value, or -errno.
/// </summary>
internal static unsafe class Kernel
{
    internal static bool IsError(nint result) => result is < 0 and >= -4095;

    internal static nint Call(Sys call, nint a = 0, nint b = 0, nint c = 0, nint d = 0, nint e = 0, nint f = 0) =>
        NativeCode.Issue(SyscallTable.Number(call), a, b, c, d, e, f);

    /// <summary>For calls that cannot block (see <see cref="NativeCode.IssueShort"/>).</summary>
    private static nint Short(Sys call, nint a = 0, nint b = 0, nint c = 0, nint d = 0, nint e = 0, nint f = 0) =>
        NativeCode.IssueShort(SyscallTable.Number(call), a, b, c, d, e, f);

    internal static int getpid() => (int)Short(Sys.getpid);

    /// <summary>For personality(2): nothing changes.</summary>
    internal const uint SamePersonality = 0xffffffff;

    /// <summary>Sets the calling thread's execution domain. Returns what it was.</summary>
    internal static int personality(uint persona) => (int)Short(Sys.personality, unchecked((nint)persona));

    internal static uint geteuid() => (uint)Short(Sys.geteuid);

    internal static uint getegid() => (uint)Short(Sys.getegid);

    internal static int close(int fd) => (int)Call(Sys.close, fd);

    internal static int fcntl(int fd, int command, int argument = 0) => (int)Short(Sys.fcntl, fd, command, argument);

    internal static int pipe2(Span<int> ends, int flags)
    {
        fixed (int* p = ends) return (int)Short(Sys.pipe2, (nint)p, flags);
    }

    internal static int socketpair(int family, int type, Span<int> ends)
    {
        fixed (int* p = ends) return (int)Short(Sys.socketpair, family, type, 0, (nint)p);
    }

    internal static nint recvmsg(int fd, msghdr* message, int flags)
    {
        nint result;
        do result = Call(Sys.recvmsg, fd, (nint)message, flags);
        while (result == -(int)Errno.EINTR);
        return result;
    }

    internal static int eventfd() => (int)Short(Sys.eventfd2, 0, Linux.O_CLOEXEC | Linux.O_NONBLOCK);

    /// <summary>The process group that this process is in.</summary>
    internal static int getpgrp() => (int)Short(Sys.getpgid, 0);

    internal static nint read(int fd, Span<byte> buffer)
    {
        fixed (byte* p = buffer) return Call(Sys.read, fd, (nint)p, buffer.Length);
    }

    internal static nint write(int fd, ReadOnlySpan<byte> buffer)
    {
        fixed (byte* p = buffer) return Call(Sys.write, fd, (nint)p, buffer.Length);
    }

    internal static int open(string path, int flags)
    {
        var bytes = Encoding.UTF8.GetBytes(path + '\0');
        fixed (byte* p = bytes) return (int)Call(Sys.openat, Linux.AT_FDCWD, (nint)p, flags | Linux.O_CLOEXEC);
    }

    internal static int openat2(int folder, string path, ulong flags, ulong resolve)
    {
        var bytes = Encoding.UTF8.GetBytes(path + '\0');
        var how = new open_how { flags = flags | (uint)Linux.O_CLOEXEC, resolve = resolve };
        fixed (byte* p = bytes) return (int)Call(Sys.openat2, folder, (nint)p, (nint)(&how), sizeof(open_how));
    }

    /// <summary>Of what a descriptor holds.</summary>
    internal static int statx(int fd, uint mask, out statx result)
    {
        byte empty = 0;
        fixed (statx* p = &result) return (int)Call(Sys.statx, fd, (nint)(&empty), Linux.AT_EMPTY_PATH, (nint)mask, (nint)p);
    }

    internal static nint ioctl(int fd, uint request, nint argument) => Call(Sys.ioctl, fd, unchecked((nint)request), argument);

    internal static int open_tree(string path, uint flags)
    {
        var bytes = Encoding.UTF8.GetBytes(path + '\0');
        fixed (byte* p = bytes) return (int)Call(Sys.open_tree, Linux.AT_FDCWD, (nint)p, (nint)flags);
    }

    internal static int mount_setattr(int fd, uint flags, mount_attr* attributes)
    {
        byte empty = 0;
        return (int)Call(Sys.mount_setattr, fd, (nint)(&empty), (nint)flags, (nint)attributes, sizeof(mount_attr));
    }

    internal static int mount(string source, string target, ulong flags)
    {
        var (from, to) = (Encoding.UTF8.GetBytes(source + '\0'), Encoding.UTF8.GetBytes(target + '\0'));
        fixed (byte* f = from, t = to) return (int)Call(Sys.mount, (nint)f, (nint)t, 0, (nint)flags, 0);
    }

    internal static int umount2(string target, int flags)
    {
        var bytes = Encoding.UTF8.GetBytes(target + '\0');
        fixed (byte* p = bytes) return (int)Call(Sys.umount2, (nint)p, flags);
    }

    internal static int unlink(string path)
    {
        var bytes = Encoding.UTF8.GetBytes(path + '\0');
        fixed (byte* p = bytes) return (int)Call(Sys.unlinkat, Linux.AT_FDCWD, (nint)p, 0);
    }

    internal static int fsopen(string type)
    {
        var bytes = Encoding.UTF8.GetBytes(type + '\0');
        fixed (byte* p = bytes) return (int)Call(Sys.fsopen, (nint)p, (nint)Linux.FSOPEN_CLOEXEC);
    }

    internal static int fsconfig(int context, int command, string? key, string? value)
    {
        var keyBytes = key is null ? null : Encoding.UTF8.GetBytes(key + '\0');
        var valueBytes = value is null ? null : Encoding.UTF8.GetBytes(value + '\0');
        fixed (byte* k = keyBytes, v = valueBytes) return (int)Call(Sys.fsconfig, context, command, (nint)k, (nint)v);
    }

    internal static int fsmount(int context, uint attributes) => (int)Call(Sys.fsmount, context, (nint)Linux.FSMOUNT_CLOEXEC, (nint)attributes);

    /// <summary>Waits for readiness; a null timeout waits without end. Retries after signals.</summary>
    internal static int poll(Span<pollfd> waits, TimeSpan? timeout)
    {
        var end = timeout is { } t ? Environment.TickCount64 + (long)Math.Ceiling(t.TotalMilliseconds) : 0;
        while (true)
        {
            timespec left = default;
            if (timeout is not null)
            {
                var milliseconds = Math.Max(0, end - Environment.TickCount64);
                left = new timespec { tv_sec = milliseconds / 1000, tv_nsec = milliseconds % 1000 * 1_000_000 };
            }

            fixed (pollfd* p = waits)
            {
                var result = (int)Call(Sys.ppoll, (nint)p, waits.Length, timeout is null ? 0 : (nint)(&left), 0, 8);
                if (result != -(int)Errno.EINTR) return result;
            }
        }
    }

    /// <summary>A copy of another process's descriptor, close-on-exec.</summary>
    internal static int pidfd_getfd(int pidfd, int fd) => (int)Short(Sys.pidfd_getfd, pidfd, fd);

    /// <summary>Reads the memory of another process. Returns how much could be read.</summary>
    internal static int process_vm_readv(int pid, ulong address, Span<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            var local = stackalloc nint[2] { (nint)p, buffer.Length }; // struct iovec
            var remote = stackalloc nint[2] { (nint)address, buffer.Length };
            return (int)Call(Sys.process_vm_readv, pid, (nint)local, 1, (nint)remote, 1);
        }
    }

    internal static int prctl(int option, nint argument = 0) => (int)Short(Sys.prctl, option, argument);

    internal static int pidfd_open(int pid) => (int)Short(Sys.pidfd_open, pid);

    internal static int pidfd_send_signal(int pidfd, int signal) => (int)Short(Sys.pidfd_send_signal, pidfd, signal);

    /// <summary>The same with a value, as sigqueue(3) does. Queued: what comes first is received first.</summary>
    internal static int pidfd_send_signal(int pidfd, int signal, int value)
    {
        var info = new siginfo { si_signo = signal, si_code = Linux.SI_QUEUE, si_int = value };
        return (int)Short(Sys.pidfd_send_signal, pidfd, signal, (nint)(&info));
    }

    /// <summary>What this process does about a signal.</summary>
    internal static kernel_sigaction rt_sigaction(int signal)
    {
        kernel_sigaction action;
        return Short(Sys.rt_sigaction, signal, 0, (nint)(&action), 8) == 0 ? action : default;
    }

    internal static int kill(int pid, int signal) => (int)Short(Sys.kill, pid, signal);

    internal static int waitid(int type, int id, siginfo* info, int options, rusage* usage)
    {
        nint result;
        do result = Call(Sys.waitid, type, id, (nint)info, options, (nint)usage);
        while (result == -(int)Errno.EINTR);
        return (int)result;
    }

    /// <summary>The exit status (as wait(2) encodes it) of a process somebody else has reaped; Linux 6.15.</summary>
    internal static bool TryGetExitStatus(int pidfd, out int status)
    {
        var info = new pidfd_info { mask = Linux.PIDFD_INFO_EXIT };
        var result = Short(Sys.ioctl, pidfd, unchecked((nint)Linux.PIDFD_GET_INFO), (nint)(&info));
        status = info.exit_code;
        return result == 0 && (info.mask & Linux.PIDFD_INFO_EXIT) != 0;
    }

    internal static int memfd_create(ReadOnlySpan<byte> name, uint flags)
    {
        fixed (byte* p = name) return (int)Call(Sys.memfd_create, (nint)p, unchecked((nint)flags));
    }

    internal static int ftruncate(int fd, nint length) => (int)Call(Sys.ftruncate, fd, length);

    internal static nint mmap(nint length, int protection, int flags, int fd) => Call(Sys.mmap, 0, length, protection, flags, fd);

    internal static int munmap(nint address, nint length) => (int)Call(Sys.munmap, address, length);

    internal static int epoll_create() => (int)Call(Sys.epoll_create1, Linux.EPOLL_CLOEXEC);

    internal static int epoll_ctl(int epoll, int operation, int fd, EpollEvent* change) =>
        (int)Short(Sys.epoll_ctl, epoll, operation, fd, (nint)change);

    internal static int epoll_wait(int epoll, byte* events, int capacity)
    {
        nint result;
        do result = Call(Sys.epoll_pwait, epoll, (nint)events, capacity, -1, 0, 8);
        while (result == -(int)Errno.EINTR);
        return (int)result;
    }

    /// <summary>Waits on a futex in shared memory while it has this value.</summary>
    internal static int futex_wait(uint* word, uint value, long milliseconds)
    {
        var timeout = new timespec { tv_sec = milliseconds / 1000, tv_nsec = milliseconds % 1000 * 1_000_000 };
        return (int)Call(Sys.futex, (nint)word, Linux.FUTEX_WAIT, (nint)value, (nint)(&timeout));
    }

    internal static int futex_wake(uint* word) => (int)Short(Sys.futex, (nint)word, Linux.FUTEX_WAKE, int.MaxValue);

    /// <summary>Time since boot in the kernel's clock ticks (USER_HZ, 100 a second), as /proc/PID/stat counts start times.</summary>
    internal static ulong BootTicks()
    {
        timespec now;
        Short(Sys.clock_gettime, Linux.CLOCK_BOOTTIME, (nint)(&now));
        return (ulong)(now.tv_sec * 100 + now.tv_nsec / 10_000_000);
    }

    /// <summary>The calling thread's effective capabilities.</summary>
    internal static ulong EffectiveCapabilities()
    {
        var header = new cap_header { version = Linux._LINUX_CAPABILITY_VERSION_3 };
        cap_data data = default;
        return Short(Sys.capget, (nint)(&header), (nint)(&data)) == 0 ? data.effective0 | (ulong)data.effective1 << 32 : 0;
    }

    /// <summary>Moves a descriptor that landed on 0, 1 or 2 (closed in this process) out of the way of standard streams.</summary>
    internal static int AboveStandard(int fd)
    {
        if (fd is < 0 or > 2) return fd;
        var moved = fcntl(fd, Linux.F_DUPFD_CLOEXEC, 3);
        _ = close(fd);
        return moved;
    }

    /// <summary>The same for the ends of a pipe; -errno when one cannot be moved, and both are closed then.</summary>
    internal static int AboveStandard(Span<int> ends)
    {
        ends[0] = AboveStandard(ends[0]);
        ends[1] = AboveStandard(ends[1]);
        var result = Math.Min(0, Math.Min(ends[0], ends[1]));
        if (result < 0)
            foreach (var end in ends)
                if (end >= 0) _ = close(end);
        return result;
    }

    /// <summary>Whether this descriptor is open on the null device, character device 1:3.</summary>
    internal static bool IsNullDevice(int fd)
    {
        return statx(fd, Linux.STATX_TYPE, out var buffer) == 0
            && (buffer.stx_mode & Linux.S_IFMT) == Linux.S_IFCHR && buffer.stx_rdev_major == 1 && buffer.stx_rdev_minor == 3;
    }
}
