using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>What the program may not do: capabilities(7) and no_new_privs.</summary>
internal static class SecurityPlanner
{
    /// <summary>Before the ids change, as both need privileges that go with them.</summary>
    internal static void NoNewPrivileges(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        if (options.Security.NoNewPrivileges)
            plan.Add(LaunchPlan.Syscall(Sys.prctl, "set no_new_privs", null, Linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        // An ordinary user without a user namespace may not touch the bounding set, and has nothing to lose:
        // with no_new_privs no exec can gain what the set would bound.
        if (!options.Security.KeepCapabilities && ((options.Namespaces & Namespaces.User) != 0 || facts.Has(Linux.CAP_SETPCAP)))
            plan.Add(LaunchPlan.Syscall(Sys.prctl, "empty the capability bounding set", null, Linux.PR_CAPBSET_DROP, 0, 0, 0, 0)
                .Repeat(1, (uint)facts.LastCapability));
    }

    /// <summary>Effective, permitted, inheritable and with them ambient: empty.</summary>
    internal static void DropCapabilities(LaunchPlan plan, IsolationOptions options)
    {
        if (options.Security.KeepCapabilities) return;
        plan.Add(LaunchPlan.Syscall(Sys.capset, "give up all capabilities", null,
            plan.Struct(new cap_header { version = Linux._LINUX_CAPABILITY_VERSION_3 }), plan.Struct(default(cap_data))));
    }
}
