using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>linux/seccomp.h, linux/filter.h, linux/bpf_common.h, linux/audit.h, asm/ioctls.h</summary>
internal static partial class Linux
{
    internal const int SECCOMP_SET_MODE_FILTER = 1;

    internal const uint SECCOMP_FILTER_FLAG_LOG = 2;
    internal const uint SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;

    internal const uint SECCOMP_RET_KILL_PROCESS = 0x80000000;
    internal const uint SECCOMP_RET_KILL_THREAD = 0;
    internal const uint SECCOMP_RET_TRAP = 0x00030000;
    internal const uint SECCOMP_RET_ERRNO = 0x00050000;
    internal const uint SECCOMP_RET_USER_NOTIF = 0x7fc00000;
    internal const uint SECCOMP_RET_TRACE = 0x7ff00000;
    internal const uint SECCOMP_RET_LOG = 0x7ffc0000;
    internal const uint SECCOMP_RET_ALLOW = 0x7fff0000;
    internal const uint SECCOMP_RET_ACTION_FULL = 0xffff0000;
    internal const uint SECCOMP_RET_DATA = 0x0000ffff;

    internal const ushort BPF_LD = 0x00;
    internal const ushort BPF_ALU = 0x04;
    internal const ushort BPF_JMP = 0x05;
    internal const ushort BPF_RET = 0x06;
    internal const ushort BPF_W = 0x00;
    internal const ushort BPF_ABS = 0x20;
    internal const ushort BPF_K = 0x00;
    internal const ushort BPF_AND = 0x50;
    internal const ushort BPF_JA = 0x00;
    internal const ushort BPF_JEQ = 0x10;
    internal const ushort BPF_JGT = 0x20;
    internal const ushort BPF_JGE = 0x30;
    internal const ushort BPF_JSET = 0x40;
    internal const int BPF_MAXINSNS = 4096;

    internal const uint AUDIT_ARCH_X86_64 = 0xc000003e;
    internal const uint AUDIT_ARCH_I386 = 0x40000003;
    internal const uint AUDIT_ARCH_AARCH64 = 0xc00000b7;
    internal const uint AUDIT_ARCH_ARM = 0x40000028;

    internal const uint TIOCSTI = 0x5412;
    internal const uint TIOCLINUX = 0x541c;
}

/// <summary>struct sock_filter: an instruction of classic BPF.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct sock_filter
{
    internal ushort code;
    internal byte jt, jf;
    internal uint k;
}

/// <summary>struct sock_fprog.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct sock_fprog
{
    [FieldOffset(0)] internal ushort len;
    [FieldOffset(8)] internal ulong filter;
}

/// <summary>struct seccomp_data: what a filter sees.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct seccomp_data
{
    [FieldOffset(0)] internal int nr;
    [FieldOffset(4)] internal uint arch;
    [FieldOffset(8)] internal ulong instruction_pointer;
    [FieldOffset(16)] internal ulong args;
}
