using System.Globalization;

namespace Isolation.Tests.Support;

/// <summary>What the user who runs the tests may do.</summary>
internal static class Privilege
{
    private const int SetGid = 6, SetUid = 7, SysAdmin = 21;

    private static readonly ulong s_effective =
        ulong.Parse(HostView.StatusField(Environment.ProcessId, "CapEff"), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>May make namespaces other than user namespaces, and mount.</summary>
    internal static bool CanAdminister => Has(SysAdmin);

    /// <summary>May map every id into a user namespace, so that root inside is root outside.</summary>
    internal static bool CanMapEverything => Has(SetUid) && Has(SetGid);

    internal static uint UserId { get; } =
        uint.Parse(HostView.StatusField(Environment.ProcessId, "Uid").Split('\t')[1], CultureInfo.InvariantCulture);

    internal static uint GroupId { get; } =
        uint.Parse(HostView.StatusField(Environment.ProcessId, "Gid").Split('\t')[1], CultureInfo.InvariantCulture);

    /// <summary>These namespaces, with a user namespace where this user cannot make them without one.</summary>
    internal static Namespaces Possible(Namespaces wanted) => CanAdminister ? wanted : wanted | Namespaces.User;

    private static bool Has(int capability) => (s_effective >> capability & 1) != 0;
}
