using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>linux/wait.h, asm-generic/siginfo.h, asm-generic/signal.h, linux/prctl.h, linux/capability.h, linux/resource.h, linux/pidfd.h, linux/futex.h</summary>
internal static partial class Linux
{
    internal const int P_PID = 1;
    internal const int P_PIDFD = 3;
    internal const int WNOHANG = 1;
    internal const int WEXITED = 4;
    internal const int WNOWAIT = 0x01000000;
    internal const int __WALL = 0x40000000;

    internal const int CLD_EXITED = 1;
    internal const int CLD_KILLED = 2;
    internal const int CLD_DUMPED = 3;

    internal const int SIGHUP = 1;
    internal const int SIGINT = 2;
    internal const int SIGQUIT = 3;
    internal const int SIGKILL = 9;
    internal const int SIGPIPE = 13;
    internal const int SIGTERM = 15;
    internal const int SIGCHLD = 17;
    internal const int SIGCONT = 18;
    internal const int SIGSTOP = 19;
    internal const int SIGTSTP = 20;
    internal const int SIGTTIN = 21;
    internal const int SIGTTOU = 22;
    internal const int SIGWINCH = 28;
    internal const int SIGSYS = 31;
    internal const int SIG_SETMASK = 2;
    internal const int SIG_IGN = 1;
    internal const ulong SA_NOCLDWAIT = 2;
    internal const int SI_QUEUE = -1;

    internal const int PR_SET_PDEATHSIG = 1;
    internal const int PR_GET_DUMPABLE = 3;
    internal const int PR_SET_DUMPABLE = 4;
    internal const int PR_SET_KEEPCAPS = 8;
    internal const int PR_SET_NAME = 15;
    internal const int PR_CAPBSET_DROP = 24;
    internal const int PR_SET_SECUREBITS = 28;
    internal const int PR_SET_NO_NEW_PRIVS = 38;
    internal const int PR_CAP_AMBIENT = 47;
    internal const int PR_CAP_AMBIENT_RAISE = 2;
    internal const int PR_CAP_AMBIENT_CLEAR_ALL = 4;

    internal const uint _LINUX_CAPABILITY_VERSION_3 = 0x20080522;
    internal const int CAP_CHOWN = 0;
    internal const int CAP_DAC_OVERRIDE = 1;
    internal const int CAP_DAC_READ_SEARCH = 2;
    internal const int CAP_FOWNER = 3;
    internal const int CAP_FSETID = 4;
    internal const int CAP_SETGID = 6;
    internal const int CAP_SETUID = 7;
    internal const int CAP_SETPCAP = 8;
    internal const int CAP_NET_ADMIN = 12;
    internal const int CAP_SYS_PTRACE = 19;
    internal const int CAP_SYS_ADMIN = 21;
    internal const int CAP_SYS_RESOURCE = 24;
    internal const int CAP_SYS_TIME = 25;

    internal const int RUSAGE_SELF = 0;
    internal const int PRIO_PROCESS = 0;

    /// <summary>_IOWR(0xFF, 11, struct pidfd_info) with the 64 bytes of PIDFD_INFO_SIZE_VER0; Linux 6.13, the exit bit 6.15.</summary>
    internal const uint PIDFD_GET_INFO = 0xc040ff0b;
    internal const ulong PIDFD_INFO_EXIT = 8;

    internal const int CLOCK_BOOTTIME = 7;
    internal const int FUTEX_WAIT = 0;
    internal const int FUTEX_WAKE = 1;
}

/// <summary>siginfo_t as waitid(2) fills it and pidfd_send_signal(2) takes it.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct siginfo
{
    [FieldOffset(0)] internal int si_signo;
    [FieldOffset(8)] internal int si_code;
    [FieldOffset(16)] internal int si_pid;
    [FieldOffset(24)] internal int si_status;
    [FieldOffset(24)] internal int si_int;
}

/// <summary>struct rusage: the fields that are read.</summary>
[StructLayout(LayoutKind.Sequential, Size = 144)]
internal struct rusage
{
    internal long utime_sec, utime_usec, stime_sec, stime_usec, maxrss;
}

/// <summary>struct pidfd_info, PIDFD_INFO_SIZE_VER0.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct pidfd_info
{
    [FieldOffset(0)] internal ulong mask;
    [FieldOffset(60)] internal int exit_code;
}

/// <summary>struct __user_cap_header_struct.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct cap_header
{
    internal uint version;
    internal int pid;
}

/// <summary>Two struct __user_cap_data_struct: capabilities 0 to 31 and 32 to 63.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct cap_data
{
    internal uint effective0, permitted0, inheritable0, effective1, permitted1, inheritable1;
}

/// <summary>struct sigaction as rt_sigaction(2) takes it (zero = default action).</summary>
[StructLayout(LayoutKind.Sequential, Size = 32)]
internal struct kernel_sigaction
{
    internal ulong handler, flags;
}
