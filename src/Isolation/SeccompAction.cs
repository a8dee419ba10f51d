using System.Globalization;
using Isolation.Interop;

namespace Isolation;

/// <summary>What happens to a syscall: see <see cref="SeccompActionKind"/>. The default value is <see cref="KillThread"/>.</summary>
public readonly record struct SeccompAction
{
    private const int MaxErrno = 4095; // the kernel takes what is more for this

    private SeccompAction(uint result) => Result = result;

    /// <summary>The call is made.</summary>
    public static SeccompAction Allow { get; } = new(Linux.SECCOMP_RET_ALLOW);

    /// <summary>The call is made, and written to the kernel's log.</summary>
    public static SeccompAction Log { get; } = new(Linux.SECCOMP_RET_LOG);

    /// <summary>The program dies as by SIGSYS.</summary>
    public static SeccompAction KillProcess { get; } = new(Linux.SECCOMP_RET_KILL_PROCESS);

    /// <summary>The thread dies as by SIGSYS. Mostly not what is wanted: the other threads wait for it for ever.</summary>
    public static SeccompAction KillThread { get; } = new(Linux.SECCOMP_RET_KILL_THREAD);

    /// <summary>The program gets a SIGSYS that it may handle; without a handler it dies of it.</summary>
    public static SeccompAction Trap { get; } = new(Linux.SECCOMP_RET_TRAP);

    /// <summary>The supervisor of the sandbox answers the call. Linux 5.0.</summary>
    public static SeccompAction Notify { get; } = new(Linux.SECCOMP_RET_USER_NOTIF);

    /// <summary>The call fails with EPERM, "operation not permitted".</summary>
    public static SeccompAction Deny { get; } = Errno((int)Interop.Errno.EPERM);

    /// <summary>The call fails with ENOSYS, as if the kernel were older than the call: programs then use an older one.</summary>
    public static SeccompAction Missing { get; } = Errno((int)Interop.Errno.ENOSYS);

    /// <summary>The call fails with this error number, without having been made.</summary>
    /// <param name="errno">0 to 4095, as in errno(3). With 0 the call is said to have succeeded with the result 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public static SeccompAction Errno(int errno)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(errno);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(errno, MaxErrno);
        return new SeccompAction(Linux.SECCOMP_RET_ERRNO | (uint)errno);
    }

    /// <summary>A tracer (ptrace(2), PTRACE_EVENT_SECCOMP) decides; without one, the call fails with ENOSYS.</summary>
    /// <param name="message">What the tracer is told, 0 to 65535.</param>
    public static SeccompAction Trace(ushort message) => new(Linux.SECCOMP_RET_TRACE | message);

    /// <summary>What happens.</summary>
    public SeccompActionKind Kind => (Result & Linux.SECCOMP_RET_ACTION_FULL) switch
    {
        Linux.SECCOMP_RET_KILL_PROCESS => SeccompActionKind.KillProcess,
        Linux.SECCOMP_RET_TRAP => SeccompActionKind.Trap,
        Linux.SECCOMP_RET_ERRNO => SeccompActionKind.Errno,
        Linux.SECCOMP_RET_USER_NOTIF => SeccompActionKind.Notify,
        Linux.SECCOMP_RET_TRACE => SeccompActionKind.Trace,
        Linux.SECCOMP_RET_LOG => SeccompActionKind.Log,
        Linux.SECCOMP_RET_ALLOW => SeccompActionKind.Allow,
        _ => SeccompActionKind.KillThread,
    };

    /// <summary>The error number of <see cref="SeccompActionKind.Errno"/>, the message of <see cref="SeccompActionKind.Trace"/>; else 0.</summary>
    public int Data => (int)(Result & Linux.SECCOMP_RET_DATA);

    /// <summary>The call can be made, if somebody else does not decide otherwise.</summary>
    internal bool MayRun => Kind is SeccompActionKind.Allow or SeccompActionKind.Log or SeccompActionKind.Trace or SeccompActionKind.Notify;

    /// <summary>What a filter returns for it.</summary>
    internal uint Result { get; }

    internal static SeccompAction FromResult(uint result) => new(result);

    /// <summary>Such as "allow" or "errno EPERM".</summary>
    public override string ToString() => Kind switch
    {
        SeccompActionKind.Errno => "errno " + (Enum.GetName((Interop.Errno)Data) ?? Data.ToString(CultureInfo.InvariantCulture)),
        SeccompActionKind.Trace => "trace " + Data.ToString(CultureInfo.InvariantCulture),
        SeccompActionKind.KillProcess => "kill process",
        SeccompActionKind.KillThread => "kill thread",
        var kind => kind.ToString().ToLowerInvariant(),
    };
}
