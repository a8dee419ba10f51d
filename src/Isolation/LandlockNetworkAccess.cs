namespace Isolation;

/// <summary>
/// What may be done with TCP ports under a <see cref="LandlockPolicy"/>: the kernel's <c>LANDLOCK_ACCESS_NET_*</c>. ABI 4, Linux 6.7. Other protocols,
/// UDP among them, are not restricted by Landlock; a network namespace (<see cref="Namespaces.Network"/>) restricts all of them.
/// </summary>
[Flags]
public enum LandlockNetworkAccess
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Bind a TCP socket to a local port.</summary>
    BindTcp = 1 << 0,

    /// <summary>Connect a TCP socket to a port of anybody.</summary>
    ConnectTcp = 1 << 1,

    /// <summary>Everything that Landlock knows as of ABI 7.</summary>
    All = BindTcp | ConnectTcp,
}
