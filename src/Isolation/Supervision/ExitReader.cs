using Isolation.Interop;
using Isolation.Launching;

namespace Isolation.Supervision;

/// <summary>Reaps a child that has ended and finds out how.</summary>
internal static unsafe class ExitReader
{
    internal static ProcessExitStatus Reap(int pidfd, LaunchArena? arena, TimeSpan duration)
    {
        siginfo info = default;
        rusage usage = default;
        var hostPeak = HostPeak();
        var result = Kernel.waitid(Linux.P_PIDFD, pidfd, &info, Linux.WEXITED | Linux.WNOHANG | Linux.__WALL, &usage);
        if (arena is not null && Volatile.Read(ref arena.Header.Reported) != 0) return OfReport(arena, duration);

        if (result == 0)
        {
            // ru_maxrss starts from the peak of the address space that was left at exec, and the child left the host's:
            // below the host's own peak it says nothing about the program.
            var peak = usage.maxrss > hostPeak ? usage.maxrss * 1024 : (long?)null;
            return Create(info.si_code, info.si_status, usage.utime_sec * 1_000_000 + usage.utime_usec, usage.stime_sec * 1_000_000 + usage.stime_usec, peak, duration);
        }

        // Somebody else has reaped it.
        if (Kernel.TryGetExitStatus(pidfd, out var status))
        {
            var signal = status & 0x7f;
            var code = signal == 0 ? Linux.CLD_EXITED : (status & 0x80) != 0 ? Linux.CLD_DUMPED : Linux.CLD_KILLED;
            return Create(code, signal == 0 ? status >> 8 & 0xff : signal, 0, 0, null, duration);
        }

        // A monitor that was killed took its child with it; otherwise nothing is known, and success must not be claimed.
        return Create(Linux.CLD_KILLED, Linux.SIGKILL, 0, 0, null, duration);
    }

    /// <summary>What a supervisor has reported; without a report it was killed, and what it supervised with it.</summary>
    internal static ProcessExitStatus OfReport(LaunchArena arena, TimeSpan duration)
    {
        ref var header = ref arena.Header;
        var status = Volatile.Read(ref header.Reported) != 0
            ? Create(header.WaitCode, header.WaitStatus, header.UserTime, header.SystemTime, header.PeakMemory * 1024, duration)
            : Create(Linux.CLD_KILLED, Linux.SIGKILL, 0, 0, null, duration);
        return status.SignalNumber == 0 ? status : status with { Reason = ProcessEndReason.Signaled };
    }

    /// <summary>
    /// Whatever is told makes a status: an init's word may be that of a program which could trace it, for having been left CAP_SYS_PTRACE.
    /// </summary>
    private static ProcessExitStatus Create(int code, int status, long user, long system, long? peak, TimeSpan duration) => new()
    {
        ExitCode = code == Linux.CLD_EXITED ? (byte)status : 128 + (status & 0x7f),
        SignalNumber = code == Linux.CLD_EXITED ? 0 : status & 0x7f,
        CoreDumped = code == Linux.CLD_DUMPED,
        UserTime = Time(user),
        SystemTime = Time(system),
        PeakMemory = peak,
        Duration = duration,
    };

    private static TimeSpan Time(long microseconds) => TimeSpan.FromMicroseconds(Math.Clamp(microseconds, 0, long.MaxValue / TimeSpan.TicksPerMicrosecond));

    private static long HostPeak()
    {
        rusage usage = default;
        Kernel.Call(Sys.getrusage, Linux.RUSAGE_SELF, (nint)(&usage));
        return usage.maxrss;
    }
}
