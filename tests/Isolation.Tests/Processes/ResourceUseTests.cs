using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class ResourceUseTests
{
    private const long Megabyte = 1 << 20;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cpu_time_is_told(bool useInit)
    {
        // The program says itself what it used: fields 14 and 15 of its stat, in hundredths of a second.
        var options = Sandbox.Shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; cut -d ' ' -f 14,15 /proc/$$/stat");
        options.UseInit = useInit;
        var result = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
        var own = TimeSpan.FromMilliseconds(10 * result.StandardOutput.Split(' ').Sum(static ticks => int.Parse(ticks, CultureInfo.InvariantCulture)));
        var told = result.ExitStatus.UserTime + result.ExitStatus.SystemTime;
        own.Should().BeGreaterThan(TimeSpan.FromMilliseconds(30), "the loop takes that");
        told.Should().BeGreaterThan(own - TimeSpan.FromMilliseconds(20)).And.BeLessThan(own + TimeSpan.FromMilliseconds(150));
        result.ExitStatus.UserTime.Should().BePositive();
        result.ExitStatus.Duration.Should().BeGreaterThan(own - TimeSpan.FromMilliseconds(20));
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cpu_time_of_children_counts(bool useInit)
    {
        var options = Sandbox.Shell("sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; true");
        options.UseInit = useInit;
        var status = await IsolatedProcess.RunAsync(options, Token);
        (status.UserTime + status.SystemTime).Should().BeGreaterThan(TimeSpan.FromMilliseconds(30));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_that_sleeps_uses_time_but_no_cpu()
    {
        var status = await IsolatedProcess.RunAsync(new IsolationOptions("sleep", "0.2"), Token);
        status.Duration.Should().BeGreaterThan(TimeSpan.FromMilliseconds(180));
        (status.UserTime + status.SystemTime).Should().BeLessThan(TimeSpan.FromMilliseconds(150));
    }

    [Fact(Timeout = 30_000)]
    public async Task Peak_memory_is_exact_under_init()
    {
        (await Peak(64 * Megabyte, useInit: true)).Should().BeInRange(64 * Megabyte, 76 * Megabyte);
        (await Peak(4 * Megabyte, useInit: true)).Should().BeInRange(4 * Megabyte, 16 * Megabyte);
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_init_peak_memory_is_told_only_where_it_is_known()
    {
        (await Peak(1 * Megabyte, useInit: false)).Should().BeNull("the host has used more, and the kernel's figure starts from there");
        var host = long.Parse(HostView.StatusField(Environment.ProcessId, "VmHWM").Split(' ')[0], CultureInfo.InvariantCulture) * 1024;
        var wanted = host + 64 * Megabyte;
        (await Peak(wanted, useInit: false)).Should().BeInRange(wanted, wanted + 12 * Megabyte);
    }

    /// <summary>dd touches the whole of its buffer.</summary>
    private static async Task<long?> Peak(long size, bool useInit)
    {
        Programs.Require("dd");
        var options = new IsolationOptions("dd", "if=/dev/zero", "of=/dev/null", $"bs={size}", "count=1") { UseInit = useInit, StandardError = StandardStream.Null };
        var status = await IsolatedProcess.RunAsync(options, Token);
        status.ExitCode.Should().Be(0);
        return status.PeakMemory;
    }
}
