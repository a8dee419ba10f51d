using Isolation.Filtering;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>
/// The sets that the stage is to have when it executes the program, so that the program has those that were asked for: what exec
/// computes is in capabilities(7), "Transformation of capabilities during execve()".
/// </summary>
internal readonly struct PlannedCapabilities
{
    private PlannedCapabilities(ulong permitted, ulong ambient, ulong inheritable, ulong withheld, bool leavesRoot) =>
        (Permitted, Ambient, Inheritable, Withheld, MayLeaveRoot) = (permitted, ambient, inheritable, withheld, leavesRoot);

    internal ulong Permitted { get; }

    internal ulong Ambient { get; }

    internal ulong Inheritable { get; }

    /// <summary>What leaves the bounding set.</summary>
    internal ulong Withheld { get; }

    /// <summary>The program's user is another than 0, or may turn out to be.</summary>
    internal bool MayLeaveRoot { get; }

    internal static PlannedCapabilities Of(IsolationOptions options, in HostFacts facts)
    {
        var (sets, security) = (options.Security.Capabilities, options.Security);
        var known = (2ul << facts.LastCapability) - 1;
        var inNamespace = (options.Namespaces & Namespaces.User) != 0;
        var available = inNamespace ? known : facts.Capabilities;
        Have(sets.Permitted, available, known);
        Have(sets.Inheritable ?? Capabilities.None, available, known);
        Have(sets.Bounding, available, known);
        if (security.SecureBits != 0 && !inNamespace && !facts.Has(Linux.CAP_SETPCAP))
            throw OptionsValidator.Invalid(nameof(options.Security), "has SecureBits, which take CAP_SETPCAP or Namespaces.User to set");

        var isUser0 = IsUser0(options, facts);
        var gainsByExec = isUser0 && (security.SecureBits & SecureBits.NoRoot) == 0;
        if (gainsByExec && !security.NoNewPrivileges && sets.Permitted != sets.Bounding)
            throw CapabilityValidator.Invalid($"is in the bounding but not in the permitted set: {CapabilityValidator.Names(sets.Bounding & ~sets.Permitted)}; "
                + "user 0 gains it by exec, but for NoNewPrivileges or SecureBits.NoRoot");
        var permitted = (ulong)sets.Permitted & available;
        var ambient = (ulong)(sets.Ambient ?? (gainsByExec ? Capabilities.None : sets.Permitted)) & available;
        // With every one asked for, also those that the host does not have stay where they are: nothing is dropped.
        return new PlannedCapabilities(permitted, ambient, (ulong)(sets.Inheritable ?? (Capabilities)ambient) & available,
            sets.Bounding == Capabilities.All ? 0 : known & ~(ulong)sets.Bounding, !isUser0);
    }

    private static void Have(Capabilities wanted, ulong available, ulong known)
    {
        if (wanted == Capabilities.All) return;
        var missing = (ulong)wanted & ~available;
        if (missing == 0) return;
        throw (missing & ~known) != 0
            ? CapabilityValidator.Invalid($"is unknown to this kernel: {CapabilityNames.Of(missing & ~known)}")
            : CapabilityValidator.Invalid($"is not there to be given, as this process does not have it and there is no Namespaces.User: {CapabilityNames.Of(missing)}");
    }

    /// <summary>Whether exec treats the program as root. A user who is looked up in the sandbox may be anybody.</summary>
    private static bool IsUser0(IsolationOptions options, in HostFacts facts)
    {
        var chosen = new ChosenUser(options.User);
        if (chosen.IsLookedUp) return false;
        return (chosen.UserId ?? ((options.Namespaces & Namespaces.User) == 0 ? facts.UserId : IdMap.OfUsers(options, facts).SetUpId ?? 0)) == 0;
    }
}
