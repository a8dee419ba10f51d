namespace Isolation;

/// <summary>
/// What of Landlock's denials the kernel writes into the audit log, where there is one (auditd, or the kernel's own log, for root to read): the kernel's
/// <c>LANDLOCK_RESTRICT_SELF_LOG_*</c>. ABI 7, Linux 6.15.
/// </summary>
[Flags]
public enum LandlockLog
{
    /// <summary>As the kernel does it by itself: that the program could not be executed is logged, what it tries later is not.</summary>
    None = 0,

    /// <summary>Not even that it could not be executed.</summary>
    SameExecOff = 1 << 0,

    /// <summary>What the program and those it starts are denied. One that tries without end can fill the log.</summary>
    NewExecOn = 1 << 1,

    /// <summary>Nothing of further policies that the program puts itself under.</summary>
    SubdomainsOff = 1 << 2,
}
