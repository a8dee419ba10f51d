namespace Isolation.Samples;

internal sealed class TimeStop : Stop
{
    internal override string Name => "time";

    internal override string Subject => "the clocks that count from the boot";

    internal override string Explanation =>
        "Offsets for the boot clock and the monotonic clock, here of a thousand days. Made for moving containers between machines. The clock " +
        "on the wall cannot be shifted: it is the host's for everybody.";

    protected override Namespaces Namespaces => Namespaces.Time;

    protected override string Script => """
        read -r seconds _ < /proc/uptime && echo "uptime=$seconds"
        echo "clock=$(date -u +%H:%M:%S)"
        """;

    protected override void Configure(IsolationOptions options) => options.Time.BootTimeOffset = TimeSpan.FromDays(1000);

    protected override IEnumerable<string[]> Rows(Witness shell, string process)
    {
        yield return ["up for", HostView.Spoken(HostView.Seconds(shell["uptime"])), HostView.Spoken(HostView.Uptime)];
        yield return ["clock on the wall, UTC", shell["clock"], DateTime.UtcNow.ToString("HH:mm:ss", null)];
    }
}
