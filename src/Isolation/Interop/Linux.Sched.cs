using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>linux/sched.h</summary>
internal static partial class Linux
{
    internal const ulong CLONE_NEWTIME = 0x00000080;
    internal const ulong CLONE_VM = 0x00000100;
    internal const ulong CLONE_FILES = 0x00000400;
    internal const ulong CLONE_PIDFD = 0x00001000;
    internal const ulong CLONE_VFORK = 0x00004000;
    internal const ulong CLONE_PARENT = 0x00008000;
    internal const ulong CLONE_NEWNS = 0x00020000;
    internal const ulong CLONE_PARENT_SETTID = 0x00100000;
    internal const ulong CLONE_NEWCGROUP = 0x02000000;
    internal const ulong CLONE_NEWUTS = 0x04000000;
    internal const ulong CLONE_NEWIPC = 0x08000000;
    internal const ulong CLONE_NEWUSER = 0x10000000;
    internal const ulong CLONE_NEWPID = 0x20000000;
    internal const ulong CLONE_NEWNET = 0x40000000;

    internal const int SCHED_NORMAL = 0;
    internal const int SCHED_FIFO = 1;
    internal const int SCHED_RR = 2;
    internal const int SCHED_BATCH = 3;
    internal const int SCHED_IDLE = 5;
}

/// <summary>struct clone_args, CLONE_ARGS_SIZE_VER2.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct clone_args
{
    internal ulong flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
}
