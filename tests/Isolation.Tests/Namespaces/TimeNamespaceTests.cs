using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class TimeNamespaceTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    [Theory(Timeout = 30_000)]
    [InlineData(86_400, 172_800)]
    [InlineData(0, 1_000_000)]
    [InlineData(1_000_000, 0)]
    [InlineData(-5, -7)]
    [InlineData(1.25, 2.000_000_1)]
    [InlineData(-1.75, -0.000_000_1)]
    public async Task Clocks_are_shifted_inside(double monotonic, double boot)
    {
        var options = WithOffsets(monotonic, boot);
        await using var process = await Sandbox.Waiting(options);
        var offsets = HostView.Read(process.ProcessId, "timens_offsets").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToDictionary(static fields => fields[0], Ticks);
        offsets.Should().BeEquivalentTo(new Dictionary<string, long>
        {
            ["monotonic"] = options.Time.MonotonicOffset.Ticks,
            ["boottime"] = options.Time.BootTimeOffset.Ticks,
        });
        HostView.Read(Environment.ProcessId, "timens_offsets").Should().MatchRegex(@"^monotonic\s+0\s+0\nboottime\s+0\s+0\n$");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(0, 86_400)]
    [InlineData(0, -20)]
    public async Task Proc_uptime_shows_the_shifted_boot_clock(double monotonic, double boot)
    {
        var before = Uptime(File.ReadAllText("/proc/uptime"));
        var inside = Uptime(await Sandbox.OutputOf(WithOffsets(monotonic, boot, "cat /proc/uptime")));
        (inside - before - TimeSpan.FromSeconds(boot)).Should().BeGreaterThan(TimeSpan.FromSeconds(-1)).And.BeLessThan(s_patience);
        (Uptime(File.ReadAllText("/proc/uptime")) - before).Should().BeLessThan(s_patience, "the host's clock is not shifted");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(1000.5, 3)]
    [InlineData(-3.25, 1000)]
    public async Task A_program_reads_the_shifted_clocks(double monotonic, double boot)
    {
        Programs.Require("python3");
        var options = WithOffsets(monotonic, boot);
        var python = new IsolationOptions("/usr/bin/python3", "-c",
            "import time; print(time.clock_gettime(time.CLOCK_MONOTONIC), time.clock_gettime(time.CLOCK_BOOTTIME))")
        {
            Namespaces = options.Namespaces,
        };
        (python.Time.MonotonicOffset, python.Time.BootTimeOffset) = (options.Time.MonotonicOffset, options.Time.BootTimeOffset);
        var (now, up) = (System.Diagnostics.Stopwatch.GetTimestamp() / (double)System.Diagnostics.Stopwatch.Frequency,
            Uptime(File.ReadAllText("/proc/uptime")));
        var seen = (await Sandbox.OutputOf(python)).Split(' ').Select(static text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        (seen[0] - now - monotonic).Should().BeInRange(-0.1, 5);
        (seen[1] - up.TotalSeconds - boot).Should().BeInRange(-0.1, 5);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(Namespaces.Pid)]
    [InlineData(Namespaces.Mount)]
    [InlineData(Namespaces.Mount | Namespaces.Pid)]
    [InlineData(Namespaces.User)]
    public async Task Clocks_can_be_shifted_without_other_namespaces(Namespaces without)
    {
        var namespaces = Privilege.Possible(Namespaces.All & ~without);
        var options = WithOffsets(0, 86_400, "cat /proc/uptime");
        options.Namespaces = namespaces;
        Uptime(await Sandbox.OutputOf(options)).Should().BeGreaterThan(TimeSpan.FromSeconds(86_400));
    }

    [Fact(Timeout = 30_000)]
    public async Task Clocks_can_be_shifted_with_the_hosts_proc()
    {
        var options = WithOffsets(0, 86_400, "cat /proc/uptime");
        options.Filesystem.PrivateProc = false;
        Uptime(await Sandbox.OutputOf(options)).Should().BeGreaterThan(TimeSpan.FromSeconds(86_400));
    }

    [Fact(Timeout = 30_000)]
    public async Task Clocks_are_shifted_under_init_too()
    {
        var options = WithOffsets(0, 86_400, "cat /proc/uptime");
        options.UseInit = true;
        Uptime(await Sandbox.OutputOf(options)).Should().BeGreaterThan(TimeSpan.FromSeconds(86_400));
    }

    [Fact]
    public void A_clock_cannot_be_shifted_below_zero()
    {
        var options = WithOffsets(0, -1e9);
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<IsolationException>()
            .Which.Should().BeEquivalentTo(new { Step = "write the clock offsets", Errno = 34, Hint = "The shifted clock would be negative or out of range" });
    }

    [Fact]
    public void Offsets_need_the_namespace()
    {
        var options = new IsolationOptions("true");
        options.Time.MonotonicOffset = TimeSpan.FromSeconds(1);
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>().WithMessage("*Namespaces.Time*");
    }

    private static IsolationOptions WithOffsets(double monotonic, double boot, string script = ":")
    {
        Assert.SkipUnless(File.Exists("/proc/self/timens_offsets"), "This kernel has no time namespaces.");
        var options = Sandbox.Shell(script);
        options.Namespaces = Namespaces.All;
        options.Time.MonotonicOffset = TimeSpan.FromSeconds(monotonic);
        options.Time.BootTimeOffset = TimeSpan.FromSeconds(boot);
        return options;
    }

    private static long Ticks(string[] fields) =>
        long.Parse(fields[1], CultureInfo.InvariantCulture) * TimeSpan.TicksPerSecond + long.Parse(fields[2], CultureInfo.InvariantCulture) / 100;

    private static TimeSpan Uptime(string text) => TimeSpan.FromSeconds(double.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture));
}
