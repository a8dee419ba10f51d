using System.Globalization;
using System.Runtime.InteropServices;

namespace Isolation;

/// <summary>How a program ended, and what it used.</summary>
/// <remarks>
/// Before Linux 6.15, the status is lost of a program that other code of this process reaps (waitpid(2) for any child), or that
/// runs when this process comes to ignore SIGCHLD; it is told as SIGKILL, so that no success is claimed. A program that is
/// started while SIGCHLD is ignored loses nothing.
/// </remarks>
public readonly record struct ProcessExitStatus
{
    /// <summary>The program's exit code, 0 to 255; 128 + n when signal n ended it.</summary>
    public int ExitCode { get; init; }

    /// <summary>The signal that ended it, or null. Signals that <see cref="PosixSignal"/> has no name for are given by number, SIGKILL as 9.</summary>
    public PosixSignal? Signal => SignalNumber == 0 ? null : PosixSignals.FromNumber(SignalNumber);

    /// <summary>The number of the signal that ended it, or 0.</summary>
    public int SignalNumber { get; init; }

    /// <summary>The kernel wrote a core dump.</summary>
    public bool CoreDumped { get; init; }

    /// <summary>Why it ended.</summary>
    public ProcessEndReason Reason { get; init; }

    /// <summary>
    /// The syscall for which its seccomp profile had it killed, when <see cref="SignalNumber"/> is 31 (SIGSYS) and that is known: to a sandbox
    /// with a <see cref="SecurityOptions.DenialReporter"/>. Else null, as the kernel tells nobody but its log.
    /// </summary>
    public SyscallDenial? Denial { get; init; }

    /// <summary>It was ended because of a timeout or a cancellation.</summary>
    public bool Canceled { get; init; }

    /// <summary>CPU time in user mode, of the program and of the descendants it has waited for.</summary>
    public TimeSpan UserTime { get; init; }

    /// <summary>CPU time in the kernel, likewise. Includes the set-up of the sandbox after the clone.</summary>
    public TimeSpan SystemTime { get; init; }

    /// <summary>
    /// Largest resident memory, in bytes, of any single process of the program. Exact with
    /// <see cref="IsolationOptions.UseInit"/>; without it, null when the program stayed below the host's own peak, for the
    /// kernel's figure starts from there (getrusage(2), ru_maxrss).
    /// </summary>
    public long? PeakMemory { get; init; }

    /// <summary>Time from the call that started it to its end, in steps of a few milliseconds.</summary>
    public TimeSpan Duration { get; init; }

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = SignalNumber == 0
            ? string.Create(CultureInfo.InvariantCulture, $"exit code {ExitCode}")
            : string.Create(CultureInfo.InvariantCulture, $"signal {PosixSignals.Name(SignalNumber)}{(CoreDumped ? " (core dumped)" : "")}");
        return Canceled ? text + ", canceled" : text;
    }
}
