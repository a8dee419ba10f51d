using System.Collections.Immutable;
using Isolation.Filtering;

namespace Isolation;

/// <summary>
/// Which syscalls the program may make, and what happens to others: a filter in the kernel that the program cannot take off,
/// inherited by all it starts. seccomp(2).
/// </summary>
/// <remarks>
/// Immutable: <c>profile with { … }</c>, <see cref="With"/>, <see cref="Allowing"/> and <see cref="Denying"/> make changed copies.
/// The first rule that fits a call decides. Keep a profile for many starts, as it is compiled at the first one.
/// </remarks>
public sealed partial record SeccompProfile
{
    private readonly ImmutableArray<SeccompRule> _rules;
    private readonly ImmutableArray<SeccompArchitecture> _architectures = [];

    /// <summary>Creates a profile.</summary>
    /// <param name="defaultAction">What happens to calls that no rule is for. <see cref="SeccompAction.Deny"/> is usual.</param>
    /// <param name="rules">The rules; the first that fits a call decides.</param>
    public SeccompProfile(SeccompAction defaultAction, params IEnumerable<SeccompRule> rules)
    {
        DefaultAction = defaultAction;
        _rules = Checked(rules);
    }

    private SeccompProfile(SeccompProfile other)
    {
        _compiled = new FilterCache(); // what was compiled for the other is not for this
        (DefaultAction, UnknownAction, ForeignAction) = (other.DefaultAction, other.UnknownAction, other.ForeignAction);
        (_rules, _architectures) = (other._rules, other._architectures);
        (LogsDenials, AllowsSpeculation) = (other.LogsDenials, other.AllowsSpeculation);
    }

    /// <summary>
    /// The strict one, for code you do not trust: what ordinary programs call is allowed, and all else fails with EPERM, or with
    /// ENOSYS when it is newer than Linux 6.18. No namespaces and mounts, no tracing of other processes, no io_uring, bpf,
    /// perf, userfaultfd, keyrings and kernel modules, no faked terminal input, sockets of AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
    /// and AF_PACKET only, and no foreign architectures. A sandbox that keeps CAP_SYS_CHROOT, CAP_SYS_TIME or CAP_SYS_ADMIN may
    /// use chroot, set the clock or the host name; nothing else depends on its capabilities.
    /// </summary>
    public static SeccompProfile Default => BuiltInProfiles.Default;

    /// <summary>
    /// What Docker's default profile gives (moby, 2026), with the calls that it opens to a container that keeps a capability, and
    /// for the architectures that it takes: x86 and x32 on x64, arm on arm64.
    /// </summary>
    public static SeccompProfile Docker => BuiltInProfiles.Docker;

    /// <summary>What happens to calls that no rule is for.</summary>
    public SeccompAction DefaultAction { get; init; }

    /// <summary>
    /// What happens to numbers that no call of Linux 6.18 has, nor any older one: those of a newer kernel. Default: null, which is
    /// <see cref="DefaultAction"/>. <see cref="SeccompAction.Missing"/> lets programs fall back to an older call.
    /// </summary>
    public SeccompAction? UnknownAction { get; init; }

    /// <summary>
    /// What happens to the calls of an architecture that is neither this machine's own nor one of <see cref="Architectures"/>:
    /// rules are about other numbers than theirs. Default: <see cref="SeccompAction.KillProcess"/>.
    /// </summary>
    public SeccompAction ForeignAction { get; init; } = SeccompAction.KillProcess;

    /// <summary>The rules, in their order.</summary>
    public IReadOnlyList<SeccompRule> Rules
    {
        get => _rules;
        init => _rules = Checked(value);
    }

    /// <summary>
    /// Architectures that programs may use besides the machine's own; those that this machine lacks mean nothing. Default: none.
    /// On x86 and arm, <c>socketcall</c> and <c>ipc</c> stand for many calls, whose arguments no rule can see.
    /// </summary>
    public IReadOnlyList<SeccompArchitecture> Architectures
    {
        get => _architectures;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            foreach (var architecture in value)
                if (!Enum.IsDefined(architecture)) throw new ArgumentException($"There is no architecture {(int)architecture}.", nameof(value));
            _architectures = [.. value];
        }
    }

    /// <summary>
    /// All that is not allowed goes to the kernel's log, as far as kernel.seccomp.actions_logged says (SECCOMP_FILTER_FLAG_LOG).
    /// Default: false.
    /// </summary>
    public bool LogsDenials { get; init; }

    /// <summary>
    /// Leaves the processor's speculation as it is (SECCOMP_FILTER_FLAG_SPEC_ALLOW). Kernels before 5.16 otherwise turn
    /// speculative store bypass and more off for whoever has a filter, which costs much and protects a program only from code in
    /// its own address space. Default: true, as in runc and as newer kernels do anyway.
    /// </summary>
    public bool AllowsSpeculation { get; init; } = true;

    /// <summary>A copy with rules that go before those that there are, and so decide first.</summary>
    /// <param name="rules">The rules.</param>
    public SeccompProfile With(params IEnumerable<SeccompRule> rules) => this with { Rules = [.. Checked(rules), .. _rules] };

    /// <summary>A copy that allows these syscalls, whatever their arguments.</summary>
    /// <param name="syscalls">Names, as for <see cref="SeccompRule"/>.</param>
    /// <exception cref="ArgumentException">A name is unknown.</exception>
    public SeccompProfile Allowing(params IEnumerable<string> syscalls) => With(new SeccompRule(SeccompAction.Allow, syscalls));

    /// <summary>A copy in which these syscalls fail with EPERM.</summary>
    /// <param name="syscalls">Names, as for <see cref="SeccompRule"/>.</param>
    /// <exception cref="ArgumentException">A name is unknown.</exception>
    public SeccompProfile Denying(params IEnumerable<string> syscalls) => With(new SeccompRule(SeccompAction.Deny, syscalls));

    /// <summary>Profiles are the same when they are one object.</summary>
    /// <param name="other">Another one.</param>
    public bool Equals(SeccompProfile? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    private static ImmutableArray<SeccompRule> Checked(IEnumerable<SeccompRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ImmutableArray<SeccompRule> result = [.. rules];
        return result.Contains(null!) ? throw new ArgumentException("A rule is null.", nameof(rules)) : result;
    }
}
