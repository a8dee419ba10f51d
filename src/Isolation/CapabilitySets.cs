namespace Isolation;

/// <summary>
/// The five capability sets that the program has once it runs, exactly: what /proc/PID/status says of it. capabilities(7).
/// Over the sandbox's own namespaces when it has a user namespace, over the host's otherwise.
/// </summary>
/// <remarks>
/// The kernel computes the sets anew when the program is executed, so not every combination can be had; a start with one that
/// cannot fails with an <see cref="ArgumentException"/> that says why. <see cref="Permitted"/> and <see cref="Effective"/> are
/// equal, all sets lie within <see cref="Bounding"/>, and <see cref="Ambient"/> within <see cref="Permitted"/> and
/// <see cref="Inheritable"/>. A program whose user is not 0, or that has <see cref="SecureBits.NoRoot"/>, is left with
/// <see cref="Ambient"/> as its permitted and effective set. User 0 gains all of <see cref="Bounding"/> by any exec, unless
/// <see cref="SecurityOptions.NoNewPrivileges"/> or <see cref="SecureBits.NoRoot"/> keeps it from that. A program file with
/// capabilities of its own (setcap) loses the ambient ones.
/// </remarks>
public sealed record CapabilitySets
{
    /// <summary>What the program may make effective. For one whose user is not 0, see <see cref="Ambient"/>.</summary>
    public Capabilities Permitted { get; init; }

    /// <summary>What the kernel checks. Equal to <see cref="Permitted"/>: exec leaves no other choice.</summary>
    public Capabilities Effective { get; init; }

    /// <summary>What no exec can go beyond.</summary>
    /// <remarks>
    /// An ordinary user without a user namespace may not change it: with an empty one asked for it stays the host's, whose
    /// capabilities cannot be reached by a program with <see cref="SecurityOptions.NoNewPrivileges"/>.
    /// </remarks>
    public Capabilities Bounding { get; init; }

    /// <summary>What is kept across execs and combined with what files have. Default: null, as much as <see cref="Ambient"/> needs.</summary>
    public Capabilities? Inheritable { get; init; }

    /// <summary>
    /// What programs keep across execs without being user 0. Default: null, which is none for user 0 and <see cref="Permitted"/>
    /// for another, or for one who is looked up by name: who is not user 0 has nothing else after an exec.
    /// </summary>
    public Capabilities? Ambient { get; init; }

    /// <summary>Nothing, and nothing to be gained.</summary>
    public static CapabilitySets None { get; } = new();

    /// <summary>
    /// Everything: see <see cref="Capabilities.All"/>. The program can undo read-only mounts and masks: not for code you do not trust.
    /// </summary>
    public static CapabilitySets All { get; } = Of(Capabilities.All);

    /// <summary>The 14 that Docker leaves a container by default, none of them for a program whose user is not 0.</summary>
    public static CapabilitySets Docker { get; } = ForRoot(
        Capabilities.Chown | Capabilities.DacOverride | Capabilities.FOwner | Capabilities.FSetId | Capabilities.Kill | Capabilities.SetGid | Capabilities.SetUid |
        Capabilities.SetPCap | Capabilities.NetBindService | Capabilities.NetRaw | Capabilities.SysChroot | Capabilities.MkNod | Capabilities.AuditWrite |
        Capabilities.SetFCap);

    /// <summary>
    /// The 11 that Podman leaves a container by default, Docker's but AUDIT_WRITE, MKNOD and NET_RAW; none of them for a program
    /// whose user is not 0.
    /// </summary>
    public static CapabilitySets Podman { get; } = ForRoot(
        Capabilities.Chown | Capabilities.DacOverride | Capabilities.FOwner | Capabilities.FSetId | Capabilities.Kill | Capabilities.SetGid | Capabilities.SetUid |
        Capabilities.SetPCap | Capabilities.NetBindService | Capabilities.SysChroot | Capabilities.SetFCap);

    /// <summary>These, permitted, effective and bounding, and ambient for a program whose user is not 0: it really has them.</summary>
    public static CapabilitySets Of(Capabilities capabilities) =>
        new() { Permitted = capabilities, Effective = capabilities, Bounding = capabilities };

    /// <summary>The sets by the names of capabilities(7).</summary>
    public override string ToString() => Permitted == Capabilities.None && Bounding == Capabilities.None && (Inheritable ?? 0) == 0
        ? "none, and none to be gained"
        : $"permitted {SecurityText.Capabilities(Permitted)}; bounding {(Bounding == Permitted ? "the same" : SecurityText.Capabilities(Bounding))}; "
            + $"inheritable {SecurityText.Capabilities(Inheritable)}; ambient {SecurityText.Capabilities(Ambient)}";

    private static CapabilitySets ForRoot(Capabilities capabilities) => Of(capabilities) with { Ambient = Capabilities.None };
}
