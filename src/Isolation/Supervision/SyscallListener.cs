using Isolation.Filtering;
using Isolation.Interop;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Supervision;

/// <summary>
/// The host's end of a filter that asks: hands syscalls to the handler, refuses what the profile refuses, and reports it. The
/// event loop tells that there is something; all that is the user's runs on the thread pool.
/// </summary>
internal sealed class SyscallListener : IEventHandler, IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly SyscallSupervision _supervision;
    private readonly Lock _gate = new();
    private ulong _watch;
    private bool _watched, _disposed;

    internal SyscallListener(int descriptor, SyscallSupervision supervision)
    {
        _handle = new SafeFileHandle(descriptor, ownsHandle: true);
        _supervision = supervision;
    }

    internal void Watch()
    {
        lock (_gate)
        {
            _watch = EventLoop.Instance.WatchOnce((int)_handle.DangerousGetHandle(), this);
            _watched = true;
        }
    }

    public void OnReady(uint events)
    {
        // Nobody is left whom the filter concerns.
        if ((events & Linux.EPOLLIN) == 0) return;
        ThreadPool.UnsafeQueueUserWorkItem(static listener => listener.Serve(), this, preferLocal: false);
    }

    /// <summary>What waits for an answer is refused by the kernel with ENOSYS.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            if (_watched) EventLoop.Instance.Forget(_watch, (int)_handle.DangerousGetHandle());
            _handle.Dispose();
        }
    }

    /// <summary>The first call under a new filter is the set-up's own: once it is answered, the host is known to listen.</summary>
    /// <returns>0, or -errno.</returns>
    internal int AnswerFence()
    {
        var result = Receive(out var fence);
        if (result < 0) return result;
        return SyscallSupervision.IsFence(fence.data) ? Send(new seccomp_notif_resp { id = fence.id }) : -(int)Errno.EINVAL;
    }

    internal unsafe bool IsPending(ulong id) => Issue(Linux.SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;

    /// <summary>Who was killed for a call: its number on the host and the innermost one that it has itself; the last, if there were several.</summary>
    internal (int Process, int Inner, SyscallDenial Denial)? Killed { get; private set; }

    /// <summary>What the kernel would have done with the filter as it is meant. The process of a thread that waits keeps its number.</summary>
    private bool Kill(SyscallDenial denial)
    {
        var (process, inner) = ProcessTree.ProcessOf(denial.Call.ThreadId);
        var pidfd = Kernel.pidfd_open(process);
        if (pidfd < 0) return false;
        var waits = IsPending(denial.Call.Id);
        if (waits) Killed = (process, inner, denial); // before its end can be noticed
        var killed = waits && Kernel.pidfd_send_signal(pidfd, Linux.SIGKILL) == 0;
        _ = Kernel.close(pidfd);
        return killed;
    }

    internal bool WaitForCall(TimeSpan time)
    {
        Span<pollfd> wait = [new pollfd { fd = (int)_handle.DangerousGetHandle(), events = Linux.POLLIN }];
        return Kernel.poll(wait, time) > 0 && (wait[0].revents & Linux.POLLIN) != 0;
    }

    private void Serve()
    {
        if (Receive(out var notification) == 0) _ = AnswerAsync(new SyscallNotification(this, notification));
        lock (_gate)
            if (!_disposed) EventLoop.Instance.Rearm(_watch, (int)_handle.DangerousGetHandle(), Linux.EPOLLIN);
    }

    private async Task AnswerAsync(SyscallNotification call)
    {
        var response = new seccomp_notif_resp { id = call.Id };
        if (SyscallSupervision.IsFence(call.Data))
        {
            response.error = -(int)Errno.EINVAL; // what the kernel says to such a call
            _ = Send(response);
            return;
        }

        if (_supervision.Refusal(call) is { } denial)
        {
            // One that cannot be killed is at least refused.
            response.error = denial.IsFatal ? -(int)Errno.EPERM : -denial.Errno;
            if (!denial.IsFatal || !Kill(denial)) _ = Send(response);
            _supervision.Report(denial);
            return;
        }

        var answer = await _supervision.AskAsync(call).ConfigureAwait(false);
        Answer(response, answer);
    }

    private void Answer(seccomp_notif_resp response, in SyscallAnswer answer)
    {
        if (answer.Handle is { } given)
        {
            response.error = Give(response.id, given);
            if (response.error == 0) return;
        }
        else if (answer.MakesIt)
        {
            response.flags = Linux.SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        }
        else
        {
            response.error = -answer.Errno;
            response.val = answer.Value;
        }

        _ = Send(response);
    }

    private unsafe int Give(ulong id, System.Runtime.InteropServices.SafeHandle handle)
    {
        var counted = false;
        try
        {
            handle.DangerousAddRef(ref counted);
            var added = new seccomp_notif_addfd
            {
                id = id, flags = Linux.SECCOMP_ADDFD_FLAG_SEND, srcfd = (uint)handle.DangerousGetHandle(), newfd_flags = (uint)Linux.O_CLOEXEC,
            };
            var result = Issue(Linux.SECCOMP_IOCTL_NOTIF_ADDFD, &added);
            return result < 0 ? (int)result : 0;
        }
        catch (ObjectDisposedException)
        {
            return -(int)Errno.EBADF;
        }
        finally
        {
            if (counted) handle.DangerousRelease();
        }
    }

    private unsafe int Receive(out seccomp_notif notification)
    {
        notification = default; // the kernel wants it empty
        fixed (seccomp_notif* p = &notification) return (int)Issue(Linux.SECCOMP_IOCTL_NOTIF_RECV, p);
    }

    private unsafe int Send(seccomp_notif_resp response) => (int)Issue(Linux.SECCOMP_IOCTL_NOTIF_SEND, &response);

    private unsafe nint Issue(uint request, void* argument)
    {
        var counted = false;
        try
        {
            _handle.DangerousAddRef(ref counted);
            nint result;
            do result = Kernel.ioctl((int)_handle.DangerousGetHandle(), request, (nint)argument);
            while (result == -(int)Errno.EINTR);
            return result;
        }
        catch (ObjectDisposedException)
        {
            return -(int)Errno.EBADF;
        }
        finally
        {
            if (counted) _handle.DangerousRelease();
        }
    }
}
