using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>What the program may not do: capabilities(7) and no_new_privs.</summary>
internal static class SecurityPlanner
{
    /// <summary>
    /// What the set-up itself needs in a new user namespace. No more is carried than is needed: each costs a call.
    /// </summary>
    private const ulong SetUpCapabilities =
        1ul << Linux.CAP_SETGID | 1ul << Linux.CAP_SETUID | 1ul << Linux.CAP_SETPCAP | 1ul << Linux.CAP_NET_ADMIN | 1ul << Linux.CAP_SYS_ADMIN | 1ul << Linux.CAP_SYS_TIME;

    /// <summary>
    /// And for a tree of its own: to reach folders of the host that belong to others, to give files an owner, and for
    /// overlayfs, which works with the rights of whoever has mounted it.
    /// </summary>
    private const ulong TreeCapabilities =
        1ul << Linux.CAP_CHOWN | 1ul << Linux.CAP_DAC_OVERRIDE | 1ul << Linux.CAP_DAC_READ_SEARCH | 1ul << Linux.CAP_FOWNER | 1ul << Linux.CAP_FSETID;

    /// <summary>The child has to carry these across the exec of the stage, as it is no root in its namespace until its ids are mapped.</summary>
    internal static ulong Carried(IsolationOptions options, in HostFacts facts) =>
        options.Security.KeepCapabilities ? (2ul << facts.LastCapability) - 1 :
        (options.Filesystem.Root.IsHost && options.Filesystem.Mounts.Count == 0 ? SetUpCapabilities : SetUpCapabilities | TreeCapabilities) |
        (options.User.ForbidNestedUserNamespaces ? 1ul << Linux.CAP_SYS_RESOURCE : 0);

    /// <summary>Before the ids change, as both need privileges that go with them.</summary>
    internal static void NoNewPrivileges(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        if (options.Security.NoNewPrivileges)
            plan.Add(LaunchPlan.Syscall(Sys.prctl, "set no_new_privs", null, Linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        // What was carried across the exec must not be inherited further.
        if (options.Security.KeepCapabilities && (options.Namespaces & Namespaces.User) != 0)
            SetCapabilities(plan, "keep no inheritable capabilities", Carried(options, facts));
        // An ordinary user without a user namespace may not touch the bounding set, and has nothing to lose:
        // with no_new_privs no exec can gain what the set would bound.
        if (!options.Security.KeepCapabilities && ((options.Namespaces & Namespaces.User) != 0 || facts.Has(Linux.CAP_SETPCAP)))
            plan.Add(LaunchPlan.Syscall(Sys.prctl, "empty the capability bounding set", null, Linux.PR_CAPBSET_DROP, 0, 0, 0, 0)
                .Repeat(1, (uint)facts.LastCapability));
    }

    /// <summary>Effective, permitted, inheritable and with them ambient: empty.</summary>
    internal static void DropCapabilities(LaunchPlan plan, IsolationOptions options)
    {
        if (!options.Security.KeepCapabilities) SetCapabilities(plan, "give up all capabilities", 0);
    }

    private static void SetCapabilities(LaunchPlan plan, string label, ulong mask)
    {
        var (low, high) = ((uint)mask, (uint)(mask >> 32));
        plan.Add(LaunchPlan.Syscall(Sys.capset, label, null,
            plan.Struct(new cap_header { version = Linux._LINUX_CAPABILITY_VERSION_3 }),
            plan.Struct(new cap_data { effective0 = low, permitted0 = low, effective1 = high, permitted1 = high })));
    }
}
