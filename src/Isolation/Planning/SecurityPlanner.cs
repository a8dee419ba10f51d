using System.Numerics;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>What the program may not do: capabilities(7) and no_new_privs.</summary>
internal static class SecurityPlanner
{
    internal const string RaiseAmbient = "set the ambient capabilities";
    internal const string SetSecureBits = "set the securebits";

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
    internal static ulong Carried(IsolationOptions options, in PlannedCapabilities sets, in HostFacts facts) =>
        sets.Permitted == (2ul << facts.LastCapability) - 1 ? sets.Permitted :
        sets.Permitted | sets.Inheritable |
        (options.Filesystem.Root.IsHost && options.Filesystem.Mounts.Count == 0 ? SetUpCapabilities : SetUpCapabilities | TreeCapabilities) |
        (options.User.ForbidNestedUserNamespaces ? 1ul << Linux.CAP_SYS_RESOURCE : 0);

    /// <summary>Before the ids change, as these need privileges that go with them.</summary>
    internal static void NoNewPrivileges(LaunchPlan plan, IsolationOptions options, in PlannedCapabilities sets, in HostFacts facts)
    {
        plan.Enforced.NoNewPrivileges = options.Security.NoNewPrivileges;
        if (options.Security.NoNewPrivileges)
            plan.Add(LaunchPlan.Syscall(Sys.prctl, "set no_new_privs", null, Linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        // An ordinary user without a user namespace may not touch the bounding set, and has nothing to lose:
        // with no_new_privs no exec can gain what the set would bound.
        if ((options.Namespaces & Namespaces.User) != 0 || facts.Has(Linux.CAP_SETPCAP))
        {
            plan.Enforced.BoundsCapabilities = true;
            ForEachRun(plan, sets.Withheld, sets.Permitted == 0 ? "empty the capability bounding set" : "bound the capabilities",
                static (label, first) => LaunchPlan.Syscall(Sys.prctl, label, null, Linux.PR_CAPBSET_DROP, first, 0, 0, 0), argument: 1);
        }

        if (sets.MayLeaveRoot && (sets.Permitted != 0 || options.Security.SecureBits != 0))
            plan.Add(LaunchPlan.Syscall(Sys.prctl, "keep the permitted capabilities when the ids change", null, Linux.PR_SET_KEEPCAPS, 1, 0, 0, 0));
    }

    /// <summary>
    /// The five sets as exec is to find them. What the stage has carried is ambient, which no exec may pass on unless asked for; it goes
    /// with the inheritable set.
    /// </summary>
    internal static void SettleCapabilities(LaunchPlan plan, IsolationOptions options, in PlannedCapabilities sets)
    {
        var bits = options.Security.SecureBits;
        var permitted = bits == 0 ? sets.Permitted : sets.Permitted | 1ul << Linux.CAP_SETPCAP;
        if (sets.Inheritable != 0)
            plan.Add(LaunchPlan.Syscall(Sys.prctl, "have no ambient capability", null, Linux.PR_CAP_AMBIENT, Linux.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
        var label = permitted == 0 ? "give up all capabilities" : "set the capabilities";
        SetCapabilities(plan, label, permitted, sets.Inheritable);
        ForEachRun(plan, sets.Ambient, RaiseAmbient,
            static (label, first) => LaunchPlan.Syscall(Sys.prctl, label, null, Linux.PR_CAP_AMBIENT, Linux.PR_CAP_AMBIENT_RAISE, first, 0, 0), argument: 2);
        plan.Enforced.SecureBits = bits;
        if (bits == 0) return;
        plan.Add(LaunchPlan.Syscall(Sys.prctl, SetSecureBits, bits.ToString(), Linux.PR_SET_SECUREBITS, (int)bits, 0, 0, 0));
        if (permitted != sets.Permitted) SetCapabilities(plan, "set the capabilities", sets.Permitted, sets.Inheritable);
    }

    /// <summary>One step for each run of neighbours, as the kernel takes one capability a call.</summary>
    private static void ForEachRun(LaunchPlan plan, ulong capabilities, string label, Func<string, int, Step> step, byte argument)
    {
        while (capabilities != 0)
        {
            var first = BitOperations.TrailingZeroCount(capabilities);
            var length = BitOperations.TrailingZeroCount(~(capabilities >> first));
            plan.Add(step(label, first).Repeat(argument, (uint)(first + length - 1)));
            capabilities &= first + length >= 64 ? 0 : ulong.MaxValue << first + length;
        }
    }

    private static void SetCapabilities(LaunchPlan plan, string label, ulong permitted, ulong inheritable) =>
        plan.Add(LaunchPlan.Syscall(Sys.capset, label, null,
            plan.Struct(new cap_header { version = Linux._LINUX_CAPABILITY_VERSION_3 }),
            plan.Struct(new cap_data
            {
                effective0 = (uint)permitted, permitted0 = (uint)permitted, inheritable0 = (uint)inheritable,
                effective1 = (uint)(permitted >> 32), permitted1 = (uint)(permitted >> 32), inheritable1 = (uint)(inheritable >> 32),
            })));
}
