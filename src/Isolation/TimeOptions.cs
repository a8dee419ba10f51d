namespace Isolation;

/// <summary>Offsets of the sandbox's clocks. Need <see cref="Namespaces.Time"/>. The wall clock cannot be shifted. time_namespaces(7).</summary>
public sealed class TimeOptions
{
    /// <summary>Added to the monotonic clock. Default: zero. Resolution: 100 ns.</summary>
    public TimeSpan MonotonicOffset { get; set; }

    /// <summary>Added to the boot clock, which <c>/proc/uptime</c> shows. Default: zero. Resolution: 100 ns.</summary>
    public TimeSpan BootTimeOffset { get; set; }
}
