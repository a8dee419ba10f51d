namespace Isolation;

/// <summary>Which session keyring a program has: keyrings(7).</summary>
public enum SessionKeyring
{
    /// <summary>One of its own, empty at the start.</summary>
    Empty,

    /// <summary>
    /// The host's, as another could not be had (an outer sandbox forbids keyctl(2), or the user has as many keys as there may be); the program's
    /// seccomp filter keeps it from every keyring.
    /// </summary>
    OutOfReach,

    /// <summary>The host's: <see cref="SecurityOptions.InheritSessionKeyring"/>.</summary>
    Inherited,

    /// <summary>None: the kernel was built without keyrings.</summary>
    Missing,
}
