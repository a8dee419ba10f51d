using System.Globalization;
using System.Runtime.InteropServices;
using Isolation.Interop;
using Isolation.Launching;

namespace Isolation.Supervision;

/// <summary>
/// A standard stream of this app for an attachment. That one must not make it non-blocking, which it would be for the shell as well: where
/// that is possible, it is opened once more.
/// </summary>
internal readonly record struct ConsoleDescriptor(int Number, bool IsTerminal, bool Blocks)
{
    internal static ConsoleDescriptor None => new(-1, false, false);

    internal static ConsoleDescriptor Open(SafeHandle? handle, int standard, int access)
    {
        var counted = false;
        try
        {
            handle?.DangerousAddRef(ref counted);
            return Open(handle is null ? standard : (int)handle.DangerousGetHandle(), access);
        }
        finally
        {
            if (counted) handle!.DangerousRelease();
        }
    }

    internal void Close()
    {
        if (Number >= 0) _ = Kernel.close(Number);
    }

    private static ConsoleDescriptor Open(int fd, int access)
    {
        var copy = Kernel.fcntl(fd, Linux.F_DUPFD_CLOEXEC, 3);
        if (copy < 0) throw LaunchFailure.Host(ConsoleAttachment.Label, "fcntl", -copy, access == Linux.O_RDONLY ? "input" : "output");
        var isTerminal = ConsoleMode.IsTerminal(copy);
        // Not a file, whose position would be another.
        if (!isTerminal && !IsPipe(copy)) return new ConsoleDescriptor(copy, false, true);
        var again = Kernel.AboveStandard(Kernel.open(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{copy}"), access | Linux.O_NONBLOCK | Linux.O_NOCTTY));
        if (again < 0) return new ConsoleDescriptor(copy, isTerminal, true); // another user's, say
        _ = Kernel.close(copy);
        return new ConsoleDescriptor(again, isTerminal, false);
    }

    private static bool IsPipe(int fd) => Kernel.statx(fd, Linux.STATX_TYPE, out var status) == 0 && (status.stx_mode & Linux.S_IFMT) == Linux.S_IFIFO;
}
