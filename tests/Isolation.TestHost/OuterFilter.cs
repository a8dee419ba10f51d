using System.Runtime.InteropServices;

namespace Isolation.TestHost;

/// <summary>A seccomp filter over the whole process, as an outer sandbox would have put there. seccomp(2).</summary>
internal static unsafe class OuterFilter
{
    private const ushort Load = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private const ushort Equal = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort AnyBit = 0x45; // BPF_JMP | BPF_JSET | BPF_K
    private const ushort Return = 0x06; // BPF_RET | BPF_K
    private const uint Allow = 0x7fff0000, Fail = 0x00050000;
    private const uint NewNamespaces = 0x7e020000;
    private const uint Clone3 = 435;

    private static readonly bool s_arm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    [StructLayout(LayoutKind.Sequential)]
    private struct sock_filter
    {
        internal ushort code;
        internal byte jt, jf;
        internal uint k;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct sock_fprog
    {
        internal ushort len;
        internal sock_filter* filter;
    }

    /// <summary>clone3 does not exist: the C library falls back to clone, and so must we.</summary>
    internal static void HideClone3() => Hide(Clone3);

    /// <summary>A syscall does not exist, as on an older kernel.</summary>
    internal static void Hide(uint number)
    {
        Install([Do(Load, 0), Do(Equal, number, 0, 1), Do(Return, Fail | 38), Do(Return, Allow)]);
        Expect.Equal(Native.syscall((nint)number, 0, 0, 0), -1, "the result of the call");
        Expect.Equal(Marshal.GetLastPInvokeError(), 38, "its errno");
    }

    /// <summary>The same, and clone and unshare may make no namespaces: what Docker's default profile does to an app without CAP_SYS_ADMIN.</summary>
    internal static void ForbidNamespaces()
    {
        var clone = s_arm64 ? 220u : 56u;
        var unshare = s_arm64 ? 97u : 272u;
        Install(
        [
            Do(Load, 0), Do(Equal, Clone3, 6, 0), Do(Equal, clone, 1, 0), Do(Equal, unshare, 0, 2),
            Do(Load, 16), Do(AnyBit, NewNamespaces, 1, 0), Do(Return, Allow), Do(Return, Fail | 1), Do(Return, Fail | 38),
        ]);
    }

    private static sock_filter Do(ushort code, uint k, byte jt = 0, byte jf = 0) => new() { code = code, k = k, jt = jt, jf = jf };

    private static void Install(ReadOnlySpan<sock_filter> program)
    {
        Expect.Equal(Native.prctl(Native.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0, "the result of prctl(PR_SET_NO_NEW_PRIVS)");
        fixed (sock_filter* filter = program)
        {
            var all = new sock_fprog { len = (ushort)program.Length, filter = filter };
            // SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC
            Expect.Equal(Native.syscall(s_arm64 ? 277 : 317, 1, 1, (nint)(&all)), 0, "the result of seccomp");
        }

        var worked = false;
        var thread = new Thread(() => worked = true); // the C library's own fall-back
        thread.Start();
        thread.Join();
        Expect.True(worked, "a thread can be made under the filter");
    }
}
