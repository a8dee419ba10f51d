namespace Isolation;

/// <summary>What the program may not do. The defaults are the strict ones.</summary>
public sealed class SecurityOptions
{
    /// <summary>No exec gains privileges: set-user-ID bits and file capabilities have no effect. Default: true. prctl(2).</summary>
    public bool NoNewPrivileges { get; set; } = true;

    /// <summary>
    /// Keeps capabilities: all of them over the sandbox's own namespaces when it has a user namespace, the host's own
    /// otherwise. Only for a program that is user 0 inside (see <see cref="UserOptions.UserId"/>): another user's exec gives them
    /// up (capabilities(7)), whether the host is root or not. Default: false, the program has none. With them, a program can
    /// undo read-only mounts and masks: not for code you do not trust.
    /// </summary>
    public bool KeepCapabilities { get; set; }

    /// <summary>
    /// Which files, folders and TCP ports the program may use, enforced by Landlock (landlock(7), Linux 5.13): also without any namespace. What the kernel
    /// really enforces, <see cref="IsolatedProcess.Landlock"/> tells. Default: null, no such policy.
    /// </summary>
    public LandlockPolicy? Landlock { get; set; }

    /// <summary>
    /// Which syscalls the program and all it starts may make. Default: <see cref="SeccompProfile.Default"/>; null for all. In place
    /// before the program is, and never to be taken off. Without <see cref="NoNewPrivileges"/> the kernel wants CAP_SYS_ADMIN for it:
    /// then it is in place before ids and capabilities change, and must allow what that takes, as the built-in profiles do.
    /// </summary>
    public SeccompProfile? Seccomp { get; set; } = SeccompProfile.Default;
}
