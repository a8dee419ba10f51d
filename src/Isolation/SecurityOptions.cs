namespace Isolation;

/// <summary>What the program may not do. The defaults are the strict ones.</summary>
public sealed partial class SecurityOptions
{
    /// <summary>No exec gains privileges: set-user-ID bits and file capabilities have no effect. Default: true. prctl(2).</summary>
    public bool NoNewPrivileges { get; set => Set(out field, value, Given.NoNewPrivileges); } = true;

    /// <summary>
    /// What the program may do of what user 0 used to: over the sandbox's own namespaces when it has a user namespace, over the host
    /// otherwise. Default: <see cref="CapabilitySets.None"/>. More than there is to give is an <see cref="ArgumentException"/>.
    /// </summary>
    public CapabilitySets Capabilities { get; set => Set(out field, value, Given.Capabilities); } = CapabilitySets.None;

    /// <summary>
    /// How capabilities follow user ids and execs from the program on. Default: <see cref="SecureBits.None"/>. Without a user
    /// namespace CAP_SETPCAP is needed to change them.
    /// </summary>
    public SecureBits SecureBits { get; set => Set(out field, value, Given.SecureBits); }

    /// <summary>
    /// Leaves the program in the session keyring of the thread that starts it, whose keys it can then use and read, whatever namespaces
    /// it has. Default: false, it gets an empty one of its own (keyrings(7)). Where that cannot be had (an outer sandbox forbids
    /// keyctl(2), or an ordinary user has the 200 keys that there may be) the program runs only if <see cref="Seccomp"/> keeps it from
    /// every keyring, as the built-in profiles do.
    /// </summary>
    public bool InheritSessionKeyring { get; set => Set(out field, value, Given.InheritSessionKeyring); }

    /// <summary>
    /// Which files, folders and TCP ports the program may use, enforced by Landlock (landlock(7), Linux 5.13): also without any namespace. What the kernel
    /// really enforces, <see cref="IsolatedProcess.Landlock"/> tells. Default: null, no such policy.
    /// </summary>
    public LandlockPolicy? Landlock { get; set => Set(out field, value, Given.Landlock); }

    /// <summary>
    /// Which syscalls the program and all it starts may make. Default: <see cref="SeccompProfile.Default"/>; null for all. In place
    /// before the program is, and never to be taken off. Without <see cref="NoNewPrivileges"/> the kernel wants CAP_SYS_ADMIN for it:
    /// then it is in place before ids and capabilities change, and must allow what that takes, as the built-in profiles do.
    /// </summary>
    public SeccompProfile? Seccomp { get; set => Set(out field, value, Given.Seccomp); } = SeccompProfile.Default;

    /// <summary>
    /// Answers the calls that <see cref="Seccomp"/> has <see cref="SeccompAction.Notify"/> for, while the program waits. Called on a
    /// thread of the thread pool, for several calls at once when threads of the program wait. A handler that throws refuses the call with
    /// EPERM. Default: null, which a profile that notifies does not go with. Linux 5.6, seccomp_unotify(2).
    /// </summary>
    /// <example><code>
    /// options.Security.Seccomp = SeccompProfile.Default.With(SeccompAction.Notify, "mkdir", "mkdirat");
    /// options.Security.SyscallHandler = call =&gt; ValueTask.FromResult(SyscallAnswer.Fail(30));
    /// </code></example>
    public Func<SyscallNotification, ValueTask<SyscallAnswer>>? SyscallHandler { get; set => Set(out field, value, Given.SyscallHandler); }

    /// <summary>
    /// Is told of every call that <see cref="Seccomp"/> refuses with an error, ENOSYS excepted, right after the program has been told.
    /// Each such call then takes the time of a question to the host, and one that can be told from a call that is not there. Called on
    /// threads of the thread pool. Default: null.
    /// </summary>
    public Action<SyscallDenial>? DenialReporter { get; set => Set(out field, value, Given.DenialReporter); }
}
