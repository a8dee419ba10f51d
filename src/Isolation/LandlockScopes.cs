namespace Isolation;

/// <summary>
/// What a program may do only among its own descendants under a <see cref="LandlockPolicy"/>: the kernel's <c>LANDLOCK_SCOPE_*</c>. ABI 6, Linux 6.12.
/// </summary>
[Flags]
public enum LandlockScopes
{
    /// <summary>Nothing is kept inside.</summary>
    None = 0,

    /// <summary>No connection to an abstract unix(7) socket that somebody outside has made.</summary>
    AbstractUnixSocket = 1 << 0,

    /// <summary>No signal to a process outside.</summary>
    Signal = 1 << 1,

    /// <summary>Everything that Landlock knows as of ABI 7.</summary>
    All = AbstractUnixSocket | Signal,
}
