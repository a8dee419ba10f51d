using Isolation.Interop;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Tests.Terminals;

/// <summary>A terminal of this machine, in the place of the one that an app has.</summary>
internal sealed unsafe class Pseudoterminal : IDisposable
{
    internal Pseudoterminal()
    {
        var master = Kernel.open("/dev/ptmx", Linux.O_RDWR | Linux.O_NOCTTY | Linux.O_NONBLOCK);
        var unlocked = 0;
        _ = Kernel.ioctl(master, Linux.TIOCSPTLCK, (nint)(&unlocked));
        Inside = new SafeFileHandle((nint)Kernel.ioctl(master, Linux.TIOCGPTPEER, Linux.O_RDWR | Linux.O_NOCTTY | Linux.O_CLOEXEC), ownsHandle: true);
        Outside = new Terminal(master, Kernel.fcntl(master, Linux.F_DUPFD_CLOEXEC, 3));
        Outside.Resize(120, 50);
    }

    /// <summary>Where a person would sit.</summary>
    internal Terminal Outside { get; }

    /// <summary>What an app has as its standard streams.</summary>
    internal SafeFileHandle Inside { get; }

    internal string Modes => ModesOf((int)Inside.DangerousGetHandle());

    internal TerminalAttachOptions Attach => new() { Input = Inside, Output = Inside };

    /// <summary>As stty -g prints them.</summary>
    internal static string ModesOf(int fd)
    {
        termios2 modes;
        return Kernel.ioctl(fd, Linux.TCGETS2, (nint)(&modes)) == 0 ? Convert.ToHexString(new ReadOnlySpan<byte>(&modes, sizeof(termios2))) : "none";
    }

    public void Dispose()
    {
        Outside.Dispose();
        Inside.Dispose();
    }
}
