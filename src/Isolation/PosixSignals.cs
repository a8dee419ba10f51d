using System.Globalization;
using System.Runtime.InteropServices;
using Isolation.Interop;

namespace Isolation;

/// <summary>Between <see cref="PosixSignal"/>, whose named values are negative, and the kernel's numbers.</summary>
internal static class PosixSignals
{
    private const int Last = 64;

    private static readonly (PosixSignal Signal, int Number)[] s_named =
    [
        (PosixSignal.SIGHUP, Linux.SIGHUP), (PosixSignal.SIGINT, Linux.SIGINT), (PosixSignal.SIGQUIT, Linux.SIGQUIT), (PosixSignal.SIGTERM, Linux.SIGTERM),
        (PosixSignal.SIGCHLD, Linux.SIGCHLD), (PosixSignal.SIGCONT, Linux.SIGCONT), (PosixSignal.SIGWINCH, Linux.SIGWINCH),
        (PosixSignal.SIGTTIN, Linux.SIGTTIN), (PosixSignal.SIGTTOU, Linux.SIGTTOU), (PosixSignal.SIGTSTP, Linux.SIGTSTP),
    ];

    private static readonly string[] s_names =
    [
        "0", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE",
        "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM",
        "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ];

    internal static PosixSignal FromNumber(int number)
    {
        foreach (var (signal, named) in s_named)
            if (named == number) return signal;
        return (PosixSignal)number;
    }

    internal static int ToNumber(PosixSignal signal)
    {
        foreach (var (named, number) in s_named)
            if (named == signal) return number;
        return (int)signal is >= 1 and <= Last ? (int)signal : throw new ArgumentOutOfRangeException(nameof(signal), signal, $"Not a signal: a PosixSignal or a number from 1 to {Last} is.");
    }

    internal static string Name(int number) => number < s_names.Length ? s_names[number] : number.ToString(CultureInfo.InvariantCulture);
}
