using Isolation.Filtering;

namespace Isolation.Planning;

/// <summary>
/// What a plan does to confine the program, noted by the planners beside the steps they add, and completed with the steps' results. Small
/// and without objects of its own, as every start has one; <see cref="EnforcementReport"/> is made of it for who asks.
/// </summary>
internal struct EnforcementRecord
{
    internal Namespaces Namespaces;
    internal IdMap Users, Groups;
    internal uint UserId, GroupId;
    internal bool IsKnown, MapsIds, ForbidsNestedUserNamespaces;

    internal PlannedCapabilities Capabilities;
    internal bool NoNewPrivileges, BoundsCapabilities;
    internal SecureBits SecureBits;

    internal SeccompProfile? Profile;
    internal CompiledFilter? Filter;
    internal int FilterLength;

    internal SessionKeyring Keyring;
    internal uint Personality;
    internal LimitRange?[] Limits;
    internal int? OomScoreAdjustment;
    internal int Umask;
    internal uint ClosedPaths;
    internal LandlockReport? Landlock;

    internal static EnforcementRecord Begin(IsolationOptions options, in HostFacts facts, in PlannedCapabilities capabilities)
    {
        var chosen = new ChosenUser(options.User);
        var inNamespace = (options.Namespaces & Namespaces.User) != 0;
        var joins = inNamespace && (options.MadeNamespaces & Namespaces.User) == 0;
        var (users, groups) = (IdMap.OfUsers(options, facts), IdMap.OfGroups(options, facts));
        return new EnforcementRecord
        {
            IsKnown = true,
            Namespaces = options.Namespaces,
            Users = users,
            Groups = groups,
            MapsIds = inNamespace && !joins,
            UserId = chosen.UserId ?? (joins ? 0 : inNamespace ? users.SetUpId ?? 0 : facts.UserId),
            GroupId = chosen.GroupId ?? (joins ? 0 : inNamespace ? groups.SetUpId ?? 0 : facts.GroupId),
            Capabilities = capabilities,
            Keyring = options.Security.InheritSessionKeyring ? SessionKeyring.Inherited : facts.LacksKeyrings ? SessionKeyring.Missing : SessionKeyring.Empty,
            Personality = (uint)(options.Security.Personality ?? (Personality)facts.Personality),
            Limits = options.Limits.Ranges,
            OomScoreAdjustment = options.Limits.OomScoreAdjustment,
            Umask = options.Umask,
            Landlock = facts.Landlock,
        };
    }
}
