using Isolation.Filtering;
using Isolation.Interop;
using Isolation.Planning;
using Isolation.Supervision;

namespace Isolation.Launching;

/// <summary>
/// Takes over the listener of a filter that asks. The stage cannot send it: under the filter, even that call might have to be answered
/// first. So the stage only waits, in a call that the filter brings to the host, while the host fetches it.
/// </summary>
internal static class ListenerTaker
{
    private const string Label = "take over the listener of the syscall filter";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Null when the stage has ended instead, which the start will notice.</summary>
    internal static SyscallListener? Take(IWaitingStage stage, SyscallSupervision supervision, int filterStep, bool hasInit)
    {
        stage.Release();
        var end = Environment.TickCount64 + (long)s_patience.TotalMilliseconds;
        var wait = default(SpinWait);
        long result;
        while ((result = stage.Result(filterStep)) == 0)
        {
            if (stage.HasEnded || Environment.TickCount64 > end) return null;
            wait.SpinOnce(sleep1Threshold: 20);
        }

        if (result < 0) return null; // the step has failed, and says so
        SyscallListener? listener = new SyscallListener(Fetch(stage, (int)result, hasInit), supervision);
        try
        {
            while (!listener.WaitForCall(TimeSpan.FromMilliseconds(20)))
                if (stage.HasEnded || Environment.TickCount64 > end) return null;
            if (listener.AnswerFence() is < 0 and var error && !stage.HasEnded) throw LaunchFailure.Host(Label, "ioctl", -error);
            listener.Watch(); // what has come meanwhile is told, too
            var taken = listener;
            listener = null;
            return taken;
        }
        finally
        {
            listener?.Dispose();
        }
    }

    private static int Fetch(IWaitingStage stage, int descriptor, bool hasInit)
    {
        var pidfd = stage.Pidfd;
        if (hasInit)
        {
            // The init makes one process, and that is the one that asks.
            var inside = ProcessTree.Below(stage.ProcessId);
            pidfd = inside.Count > 1 ? Kernel.pidfd_open(inside[1]) : -(int)Errno.ESRCH;
            if (pidfd < 0) throw LaunchFailure.Host(Label, "pidfd_open", -pidfd);
        }

        var fetched = Kernel.AboveStandard(Kernel.pidfd_getfd(pidfd, descriptor));
        if (hasInit) _ = Kernel.close(pidfd);
        return fetched >= 0 ? fetched : throw LaunchFailure.Host(Label, "pidfd_getfd", -fetched, null,
            fetched == -(int)Errno.EPERM ? "This app may not look into the sandbox: kernel.yama.ptrace_scope, or the seccomp profile of an outer sandbox, forbids it" : null);
    }
}
