namespace Isolation;

/// <summary>What a <see cref="LandlockPolicy"/> allows with a TCP port.</summary>
/// <param name="Port">The port, 0 to 65535. To bind to 0 is to have the kernel choose one.</param>
/// <param name="Access">What is allowed.</param>
public readonly record struct LandlockPortRule(int Port, LandlockNetworkAccess Access)
{
    /// <inheritdoc/>
    public override string ToString() => $"TCP port {Port}: {Access}";
}
