using Isolation.Interop;

namespace Isolation.Supervision;

/// <summary>The size of a terminal that this app has.</summary>
internal static unsafe class ConsoleSize
{
    /// <summary>False when the descriptor is no terminal, or one that does not know its size.</summary>
    internal static bool TryGet(int fd, out winsize size)
    {
        fixed (winsize* p = &size)
            return Kernel.ioctl(fd, Linux.TIOCGWINSZ, (nint)p) == 0 && size is { ws_col: > 0, ws_row: > 0 };
    }
}
