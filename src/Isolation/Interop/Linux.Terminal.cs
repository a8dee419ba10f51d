using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>asm/ioctls.h, asm/termbits.h, asm/termios.h, linux/magic.h: pseudoterminals, and the terminal that an app has itself</summary>
internal static partial class Linux
{
    internal const uint TCGETS2 = 0x802c542a;
    internal const uint TCSETS2 = 0x402c542b;
    internal const uint TIOCSCTTY = 0x540e;
    internal const uint TIOCGPGRP = 0x540f;
    internal const uint TIOCGWINSZ = 0x5413;
    internal const uint TIOCSWINSZ = 0x5414;
    internal const uint TIOCSPTLCK = 0x40045431;
    internal const uint TIOCGPTPEER = 0x5441;

    internal const uint IGNBRK = 1;
    internal const uint BRKINT = 2;
    internal const uint PARMRK = 8;
    internal const uint ISTRIP = 0x20;
    internal const uint INLCR = 0x40;
    internal const uint IGNCR = 0x80;
    internal const uint ICRNL = 0x100;
    internal const uint IXON = 0x400;
    internal const uint IUTF8 = 0x4000;
    internal const uint OPOST = 1;
    internal const uint ONLCR = 4;
    internal const uint B38400 = 0xf;
    internal const uint CSIZE = 0x30;
    internal const uint CS8 = 0x30;
    internal const uint CREAD = 0x80;
    internal const uint PARENB = 0x100;
    internal const uint HUPCL = 0x400;
    internal const uint ISIG = 1;
    internal const uint ICANON = 2;
    internal const uint ECHO = 8;
    internal const uint ECHOE = 0x10;
    internal const uint ECHOK = 0x20;
    internal const uint ECHONL = 0x40;
    internal const uint ECHOCTL = 0x200;
    internal const uint ECHOKE = 0x800;
    internal const uint IEXTEN = 0x8000;

    internal const int VINTR = 0;
    internal const int VQUIT = 1;
    internal const int VERASE = 2;
    internal const int VKILL = 3;
    internal const int VEOF = 4;
    internal const int VTIME = 5;
    internal const int VMIN = 6;
    internal const int VSTART = 8;
    internal const int VSTOP = 9;
    internal const int VSUSP = 10;
    internal const int VREPRINT = 12;
    internal const int VDISCARD = 13;
    internal const int VWERASE = 14;
    internal const int VLNEXT = 15;

    internal const uint DEVPTS_SUPER_MAGIC = 0x1cd1;
}

/// <summary>struct winsize.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct winsize
{
    internal ushort ws_row, ws_col, ws_xpixel, ws_ypixel;
}

/// <summary>struct termios2.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct termios2
{
    internal uint c_iflag, c_oflag, c_cflag, c_lflag;
    internal byte c_line;
    internal Characters c_cc;
    internal uint c_ispeed, c_ospeed;

    [InlineArray(19)]
    internal struct Characters
    {
        private byte _first;
    }
}
