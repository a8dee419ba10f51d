namespace Isolation.Planning;

/// <summary>
/// A policy's rules as a plan needs them: with the rights that the kernel handles, those of the same rights together. Made once for a policy, as
/// each of its starts needs the same.
/// </summary>
internal sealed class LandlockRules(LandlockPathRule[] paths, LandlockPortRule[] ports, LandlockAccess access, LandlockNetworkAccess networkAccess)
{
    /// <summary>Rules that have the same rights, and the label of the steps that bring these into a register.</summary>
    internal readonly record struct PathGroup(LandlockAccess Access, string Label, LandlockPathRule[] Rules);

    internal readonly record struct Port(LandlockPortRule Rule, string Name);

    /// <summary>What is not handled is allowed without a rule.</summary>
    internal PathGroup[] Paths { get; } =
    [
        .. from rule in paths
           group rule by rule.Access & access into rules
           where rules.Key != 0
           select new PathGroup(rules.Key, $"the rules that follow allow {rules.Key}", [.. rules]),
    ];

    internal Port[] Ports { get; } =
    [
        .. from rule in ports
           let allowed = rule.Access & networkAccess
           where allowed != 0
           select new Port(rule with { Access = allowed }, $"{rule.Port}: {allowed}"),
    ];

    /// <summary>Whether these are the rules of just this: a copy of a policy has its original's at first.</summary>
    internal bool Are(LandlockPathRule[] otherPaths, LandlockPortRule[] otherPorts, LandlockReport report) =>
        paths == otherPaths && ports == otherPorts && access == report.HandledAccess && networkAccess == report.HandledNetworkAccess;
}
