namespace Isolation;

/// <summary>
/// What the program may not do: a security profile that can be printed, copied and changed. The defaults are the strict ones.
/// <see cref="Default"/>, <see cref="Docker"/> and <see cref="Unconfined"/> are complete profiles to begin with. What hides and protects files of the
/// kernel (masks) belongs to the tree: <see cref="FilesystemOptions.MaskKernelFiles"/>.
/// </summary>
/// <example><code>
/// options.Security = SecurityOptions.Docker;
/// options.Security.NoNewPrivileges = true;
/// Console.WriteLine(options.Security);
/// </code></example>
public sealed partial class SecurityOptions
{
    private const Personality KnownPersonality = Isolation.Personality.Linux32 | Isolation.Personality.UName26 | Isolation.Personality.NoAddressRandomization
        | Isolation.Personality.MapPageZero | Isolation.Personality.CompatibleLayout | Isolation.Personality.ReadImpliesExecute
        | Isolation.Personality.AddressLimit32Bit | Isolation.Personality.AddressLimit3GB;

    /// <summary>
    /// The strict profile, which options have from the start: for code you do not trust. No capabilities and none to be gained, the default seccomp
    /// profile, a session keyring of its own. A new object each time.
    /// </summary>
    public static SecurityOptions Default => Complete(new SecurityOptions());

    /// <summary>
    /// What Docker gives a container by default: 14 capabilities for a program of user 0, Docker's seccomp profile, a session keyring of its
    /// own, and set-user-ID programs that work. For programs written for containers. Not AppArmor's part, where Docker has one. A new object each time.
    /// </summary>
    public static SecurityOptions Docker => Complete(new SecurityOptions
    {
        NoNewPrivileges = false, Capabilities = CapabilitySets.Docker, Seccomp = SeccompProfile.Docker,
    });

    /// <summary>
    /// Nothing but the namespaces: every capability there is (over the sandbox's own namespaces, or without a user namespace over the host),
    /// all syscalls, the host's session keyring. For programs that are trusted, such as another container tool; set
    /// <see cref="FilesystemOptions.MaskKernelFiles"/> to false as well where they are to see all of /proc. A new object each time.
    /// </summary>
    public static SecurityOptions Unconfined => Complete(new SecurityOptions
    {
        NoNewPrivileges = false, Capabilities = CapabilitySets.All, Seccomp = null, InheritSessionKeyring = true,
    });

    /// <summary>A copy: changes of one do not change the other.</summary>
    public SecurityOptions Clone() => (SecurityOptions)MemberwiseClone();

    /// <summary>The whole profile, seccomp rules included, for people.</summary>
    public override string ToString() => SecurityText.Of(this);

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
    /// What the kernel does differently for the program: no random addresses, the looks of a 32-bit machine. Default: null, as for the
    /// thread that starts it. Linux is what it is for most. personality(2).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It has bits that stand for nothing.</exception>
    public Personality? Personality
    {
        get;
        set => Set(out field, value is null || (value.Value & ~KnownPersonality) == 0 ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "It has bits that stand for nothing."), Given.Personality);
    }

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
    /// Is told of every call that <see cref="Seccomp"/> refuses with an error, ENOSYS excepted, right after the program has been told, and of
    /// those that it has the program killed for (<see cref="SeccompAction.KillProcess"/>), which <see cref="ProcessExitStatus.Denial"/> then names.
    /// Each such call takes the time of a question to the host, and one that can be told from a call that is not there. Called on
    /// threads of the thread pool. Default: null. What Landlock refuses the kernel tells to its audit log only: <see cref="LandlockPolicy.Log"/>.
    /// </summary>
    public Action<SyscallDenial>? DenialReporter { get; set => Set(out field, value, Given.DenialReporter); }
}
