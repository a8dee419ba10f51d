using System.Runtime.InteropServices;

namespace Isolation;

/// <summary>What a <see cref="SecurityOptions.SyscallHandler"/> does about a syscall.</summary>
public readonly record struct SyscallAnswer
{
    private SyscallAnswer(long value, int errno, bool makesIt, SafeHandle? handle) => (Value, Errno, MakesIt, Handle) = (value, errno, makesIt, handle);

    /// <summary>The kernel makes the call as if there were no handler. Linux 5.5.</summary>
    /// <remarks>
    /// No answer to build security on where the arguments point to memory: another thread of the program can exchange what is there
    /// between the look of the handler and that of the kernel (seccomp_unotify(2)).
    /// </remarks>
    public static SyscallAnswer Continue { get; } = new(0, 0, true, null);

    /// <summary>The call is not made, and returns this value.</summary>
    public static SyscallAnswer Return(long value) => new(value, 0, false, null);

    /// <summary>The call is not made, and fails with this error number.</summary>
    /// <param name="errno">1 to 4095, as in errno(3).</param>
    public static SyscallAnswer Fail(int errno)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(errno);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(errno, 4095);
        return new SyscallAnswer(0, errno, false, null);
    }

    /// <summary>
    /// The call is not made; the program gets a copy of this handle, close-on-exec, and its number as the call's result: how a
    /// handler opens a file or a socket on the program's behalf. Linux 5.14. The handle stays the host's:
    /// it must stay open until the program has its copy, and is disposed by its owner later, or by nobody.
    /// </summary>
    public static SyscallAnswer Give(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return new SyscallAnswer(0, 0, false, handle);
    }

    internal long Value { get; }

    internal int Errno { get; }

    internal bool MakesIt { get; }

    internal SafeHandle? Handle { get; }
}
