using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>
/// keyrings(7): the session keyring, with the host's keys in it, is inherited by every clone and exec, and no namespace separates it.
/// The program gets one of its own, which is empty.
/// </summary>
internal static class KeyringPlanner
{
    internal const string Label = "give the program an empty session keyring";

    /// <summary>Tries after which a keyring that there is no room for is not to be had.</summary>
    private static readonly long[] s_patience = [10, 40, 150];

    /// <summary>
    /// Before a filter that refuses the call, and before the ids change: a keyring counts against the quota of who makes it, which for root
    /// has room for a million, and for any other user for 200 keys (/proc/sys/kernel/keys).
    /// </summary>
    internal static void Renew(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        if (options.Security.InheritSessionKeyring || facts.LacksKeyrings) return;
        plan.KeyringStep = plan.Steps.Length;
        // What an outer sandbox forbids, or there is no room for, is no harm to who cannot reach a keyring at all.
        if (SeccompPlanner.Compile(options) is { RefusesKeyrings: true })
        {
            plan.Add(Join().Tolerate(Errno.EPERM, Errno.ENOSYS, Errno.EACCES, Errno.EDQUOT));
            return;
        }

        // The keyrings of sandboxes that have ended are freed a while later: RCU, and before Linux 6.9 a garbage collector.
        plan.Add(Join().Tolerate(Errno.EDQUOT));
        var first = plan.Steps.Length;
        foreach (var milliseconds in s_patience)
        {
            var time = plan.Struct(new timespec { tv_nsec = milliseconds * 1_000_000 });
            plan.Add(LaunchPlan.Syscall(Sys.ppoll, "wait for room for a keyring", null, 0, 0, time, 0, 0));
            plan.KeyringStep = plan.Steps.Length;
            plan.Add(milliseconds == s_patience[^1] ? Join() : Join().Tolerate(Errno.EDQUOT));
        }

        var end = plan.Steps.Length;
        for (var step = first - 1; step < end - 1; step += 2) plan.Steps[step].SkipDone = (byte)(end - step - 1);
    }

    private static Step Join() => LaunchPlan.Syscall(Sys.keyctl, Label, null, Linux.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0);
}
