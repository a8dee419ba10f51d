namespace Isolation.Planning;

/// <summary>What a plan depends on beside the options: who the host is and how its descriptors stand.</summary>
/// <param name="UserId">Effective user id of the host process.</param>
/// <param name="GroupId">Effective group id.</param>
/// <param name="Capabilities">Effective capabilities.</param>
/// <param name="LastCapability">Highest capability number of this kernel.</param>
/// <param name="UserMap">The identity map of all user ids that exist for the host, as uid_map wants it.</param>
/// <param name="GroupMap">The same for groups.</param>
/// <param name="IgnoredSignals">Signals that the host ignored at its first start, bit n-1 for signal n: ignoring survives exec, so they are reset.</param>
/// <param name="ReapsEverything">The host's runtime reaps children that are not its own, so a monitor must keep the exit status.</param>
internal readonly record struct HostFacts(
    uint UserId,
    uint GroupId,
    ulong Capabilities,
    int LastCapability,
    string UserMap,
    string GroupMap,
    ulong IgnoredSignals,
    bool ReapsEverything)
{
    /// <summary>This process is in a user namespace whose groups nobody may change (an ordinary user has made it).</summary>
    internal bool DeniesSetgroups { get; init; }

    /// <summary>The folder that is to be a read-only root has no place for something that is to be mounted in it.</summary>
    internal bool RootLacksMountPoints { get; init; }

    /// <summary>personality(2) of the thread that starts, which the program is to have as well.</summary>
    internal uint Personality { get; init; }

    /// <summary>personality(2) may be told to do without random addresses, and be told otherwise again.</summary>
    internal bool MayFixAddresses { get; init; }

    /// <summary>What of the options' Landlock policy this kernel will enforce, or null for no policy.</summary>
    internal LandlockReport? Landlock { get; init; }

    /// <summary>The kernel was built without keyrings.</summary>
    internal bool LacksKeyrings { get; init; }

    /// <summary>The mounts of the host, where the kernel has no mount_setattr(2); else null.</summary>
    internal HostMounts? Mounts { get; init; }

    /// <summary>The kernel is older than 5.12, or an outer sandbox hides the call.</summary>
    internal bool LacksMountSetattr => Mounts is not null;

    internal bool Has(int capability) => (Capabilities >> capability & 1) != 0;
}
