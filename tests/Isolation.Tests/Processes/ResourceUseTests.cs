using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class ResourceUseTests
{
    private const long Megabyte = 1 << 20;

    /// <summary>
    /// Works until the process has used a tenth of a second, as it says itself: fields 14 and 15 of its stat, in hundredths of
    /// a second. Then prints them.
    /// </summary>
    private const string Work = """
        until read -r a b c d e f g h i j k l m user system rest < /proc/$$/stat; [ $((user + system)) -ge 10 ]; do
          n=0; while [ $n -lt 500 ]; do n=$((n + 1)); done
        done
        echo $user $system
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cpu_time_is_told(bool useInit)
    {
        var options = Sandbox.Shell(Work);
        options.UseInit = useInit;
        var result = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
        var ticks = result.StandardOutput.Split(' ').Sum(static text => int.Parse(text, CultureInfo.InvariantCulture));
        var own = TimeSpan.FromMilliseconds(10 * ticks);
        var told = result.ExitStatus.UserTime + result.ExitStatus.SystemTime;
        told.Should().BeGreaterThan(own - TimeSpan.FromMilliseconds(20))
            .And.BeLessThan(own + TimeSpan.FromSeconds(1), "the set-up counts, too, but takes less");
        result.ExitStatus.UserTime.Should().BePositive();
        result.ExitStatus.Duration.Should().BeGreaterThan(own - TimeSpan.FromMilliseconds(20));
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cpu_time_of_children_counts(bool useInit)
    {
        var options = Sandbox.Shell($"sh -c '{Work}'; true");
        options.UseInit = useInit;
        var status = (await IsolatedProcess.RunAndCaptureTextAsync(options, Token)).ExitStatus;
        (status.UserTime + status.SystemTime).Should().BeGreaterThan(TimeSpan.FromMilliseconds(80));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_that_sleeps_uses_time_but_no_cpu()
    {
        var status = await IsolatedProcess.RunAsync(new IsolationOptions("sleep", "0.2"), Token);
        status.Duration.Should().BeGreaterThan(TimeSpan.FromMilliseconds(180));
        (status.UserTime + status.SystemTime).Should().BeLessThan(status.Duration / 2);
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
        var options = new IsolationOptions("dd", "if=/dev/zero", "of=/dev/null", $"bs={size}", "count=1")
        {
            UseInit = useInit, StandardError = StandardStream.Null,
        };
        var status = await IsolatedProcess.RunAsync(options, Token);
        status.ExitCode.Should().Be(0);
        return status.PeakMemory;
    }
}
