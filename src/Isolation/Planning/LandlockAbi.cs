namespace Isolation.Planning;

/// <summary>What each version of Landlock's ABI has brought (landlock(7), "VERSIONS").</summary>
internal static class LandlockAbi
{
    internal static LandlockAccess Access(int abi) =>
        (abi >= 1 ? LandlockAccess.All & ~(LandlockAccess.Refer | LandlockAccess.Truncate | LandlockAccess.IoctlDev) : 0)
        | (abi >= 2 ? LandlockAccess.Refer : 0) | (abi >= 3 ? LandlockAccess.Truncate : 0) | (abi >= 5 ? LandlockAccess.IoctlDev : 0);

    internal static LandlockNetworkAccess NetworkAccess(int abi) => abi >= 4 ? LandlockNetworkAccess.All : 0;

    internal static LandlockScopes Scopes(int abi) => abi >= 6 ? LandlockScopes.All : 0;

    internal static LandlockLog Log(int abi) => abi >= 7 ? LandlockLog.SameExecOff | LandlockLog.NewExecOn | LandlockLog.SubdomainsOff : 0;

    /// <summary>What a rule for anything but a folder may have (landlock_add_rule(2), EINVAL).</summary>
    internal const LandlockAccess OfFiles =
        LandlockAccess.Execute | LandlockAccess.WriteFile | LandlockAccess.ReadFile | LandlockAccess.Truncate | LandlockAccess.IoctlDev;

    /// <summary>The kernel that brought it.</summary>
    internal static string Kernel(int abi) => abi switch
    {
        1 => "Linux 5.13", 2 => "Linux 5.19", 3 => "Linux 6.2", 4 => "Linux 6.7", 5 => "Linux 6.10", 6 => "Linux 6.12", _ => "Linux 6.15",
    };
}
