using System.Collections.Immutable;
using System.Text;
using Isolation.Filtering;

namespace Isolation;

/// <summary>What happens to some syscalls, always or when their arguments are as the conditions say.</summary>
public sealed record SeccompRule
{
    private readonly ImmutableArray<SeccompCondition> _conditions = [];

    /// <summary>Creates a rule.</summary>
    /// <param name="action">What happens.</param>
    /// <param name="syscalls">
    /// Names as in syscalls(2) and asm/unistd.h, without prefix: "openat". A call that this machine lacks ("riscv_hwprobe") means
    /// nothing here.
    /// </param>
    /// <exception cref="ArgumentException">No name is given, or one that no Linux has; it is named, with one that is similar.</exception>
    public SeccompRule(SeccompAction action, params IEnumerable<string> syscalls)
    {
        ArgumentNullException.ThrowIfNull(syscalls);
        Action = action;
        Syscalls = [.. syscalls];
        if (Syscalls.Count == 0) throw new ArgumentException("A rule needs the name of a syscall.", nameof(syscalls));
        foreach (var name in Syscalls)
            if (!SyscallNames.IsKnown(name)) throw new ArgumentException(SyscallNames.Unknown(name), nameof(syscalls));
    }

    /// <summary>What happens.</summary>
    public SeccompAction Action { get; init; }

    /// <summary>The names.</summary>
    public IReadOnlyList<string> Syscalls { get; }

    /// <summary>The rule is for calls for which all of these hold. Default: none, which is every call.</summary>
    public IReadOnlyList<SeccompCondition> Conditions
    {
        get => _conditions;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Contains(null!)) throw new ArgumentException("A condition is null.", nameof(value));
            _conditions = [.. value];
        }
    }

    /// <summary>The rule is for sandboxes that keep all of these capabilities (bit n is capability n).</summary>
    internal ulong RequiredCapabilities { get; init; }

    /// <summary>The rule is for sandboxes that keep none of these capabilities.</summary>
    internal ulong ExcludedCapabilities { get; init; }

    internal bool IsFor(ulong capabilities) =>
        (capabilities & RequiredCapabilities) == RequiredCapabilities && (capabilities & ExcludedCapabilities) == 0;

    /// <summary>Such as "deny ioctl if arg1 == 0x5412".</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Action.ToString()).Append(": ").AppendJoin(' ', Syscalls);
        if (_conditions.Length > 0) text.Append(" if ").AppendJoin(" and ", _conditions);
        if (RequiredCapabilities != 0) text.Append(" with ").Append(CapabilityNames.Of(RequiredCapabilities));
        if (ExcludedCapabilities != 0) text.Append(" without ").Append(CapabilityNames.Of(ExcludedCapabilities));
        return text.ToString();
    }
}
