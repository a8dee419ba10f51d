namespace Isolation;

/// <summary>What the kernel does about a syscall that a filter has looked at. seccomp(2), SECCOMP_RET_*.</summary>
public enum SeccompActionKind
{
    /// <summary>The thread dies as by SIGSYS; other threads of the program go on, which few programs bear.</summary>
    KillThread,

    /// <summary>The program dies as by SIGSYS, which it cannot catch.</summary>
    KillProcess,

    /// <summary>The program gets a SIGSYS that it may handle; <see cref="SeccompAction.Data"/> is its si_errno.</summary>
    Trap,

    /// <summary>The call is not made and fails with the error number <see cref="SeccompAction.Data"/>.</summary>
    Errno,

    /// <summary>A supervisor in the host answers the call.</summary>
    Notify,

    /// <summary>A tracer of the program is asked, with <see cref="SeccompAction.Data"/> as message; without one, the call fails with ENOSYS.</summary>
    Trace,

    /// <summary>The call is made, and written to the kernel's log.</summary>
    Log,

    /// <summary>The call is made.</summary>
    Allow,
}
