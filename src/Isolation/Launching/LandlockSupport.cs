using System.Text;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>What this kernel's Landlock can do, and whether that is enough for a policy.</summary>
internal static class LandlockSupport
{
    private static readonly Retried<int> s_abi = new(static () =>
        (int)Kernel.Call(Sys.landlock_create_ruleset, 0, 0, unchecked((nint)Linux.LANDLOCK_CREATE_RULESET_VERSION)));

    private static readonly AsyncLocal<int?> s_forced = new();

    /// <summary>The version of its ABI, or -errno.</summary>
    internal static int Abi => ForcedAbi ?? s_abi.Value;

    /// <summary>For tests, and only in the same flow of execution: as if the kernel had answered this.</summary>
    internal static int? ForcedAbi
    {
        get => s_forced.Value;
        set => s_forced.Value = value;
    }

    /// <summary>What will be enforced.</summary>
    /// <exception cref="IsolationException">It is less than the policy requires.</exception>
    internal static LandlockReport Check(LandlockPolicy policy)
    {
        var answer = Abi;
        var report = new LandlockReport(policy, Math.Max(0, answer));
        if (report.IsComplete || policy.Enforcement == LandlockEnforcement.BestEffort) return report;
        throw new IsolationException(LandlockPlanner.Enforce, Sys.landlock_create_ruleset.ToString(), Math.Max(0, -answer), null,
            LandlockHints.ForMissing((Errno)Math.Max(0, -answer)) ?? TooOld(policy, report));
    }

    private static string TooOld(LandlockPolicy policy, LandlockReport report)
    {
        var abi = policy.RequiredAbi;
        var text = new StringBuilder($"The policy needs Landlock's ABI {abi} ({LandlockAbi.Kernel(abi)}) for ");
        LandlockReport.List(text, report.MissingAccess, report.MissingNetworkAccess, report.MissingScopes, report.MissingLog);
        return text.Append($", and this kernel has ABI {report.Abi}; handle less (LandlockPolicy.ForAbi({report.Abi})), or choose LandlockEnforcement.BestEffort").ToString();
    }
}
