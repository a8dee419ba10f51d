using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class TimeoutTests
{
    /// <summary>Starts grandchildren that leave their session and parents, waits until they run, and then never ends.</summary>
    private const string Daemons = """
        (setsid sleep 1000 &); setsid sh -c '(setsid sleep 1000 &) ; exec sleep 1000' & sh -c 'sleep 1000 & exec sleep 1000' &
        until [ "$(cat /proc/[0-9]*/comm 2>/dev/null | grep -c sleep)" = 5 ]; do :; done
        readlink /proc/self/ns/pid; while :; do sleep 1000; done
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 120_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_timeout_ends_everything_inside(bool useInit)
    {
        Programs.Require("setsid");
        var options = Sandbox.Shell(Daemons);
        options.UseInit = useInit;
        var (timeout, result) = await RunUntilReady(options);
        result.ExitStatus.Should().BeEquivalentTo(new { Canceled = true, SignalNumber = 9, ExitCode = 137 });
        result.StandardOutput.Should().StartWith("pid:[", "the grandchildren ran by then");
        HostView.ProcessesIn(result.StandardOutput.Trim()).Should().BeEmpty();
        result.ExitStatus.Duration.Should().BeGreaterThan(timeout - TimeSpan.FromMilliseconds(50));
    }

    [Theory(Timeout = 120_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cancellation_ends_everything_inside(bool useInit)
    {
        Programs.Require("setsid");
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "namespace");
        var options = Sandbox.Shell(Daemons.Replace("readlink /proc/self/ns/pid;",
            "readlink /proc/self/ns/pid; readlink /proc/self/ns/pid > $1.new; mv $1.new $1;", StringComparison.Ordinal), path);
        options.UseInit = useInit;
        options.Filesystem.PrivateTmp = false;
        options.Filesystem.Root = Root.Host;
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var run = IsolatedProcess.RunAndCaptureTextAsync(options, cancellation.Token);
        await HostView.Until(() => File.Exists(path), "the grandchildren run");
        var inside = (await File.ReadAllTextAsync(path, Token)).Trim();
        HostView.ProcessesIn(inside).Should().HaveCountGreaterThanOrEqualTo(6);
        await cancellation.CancelAsync();
        var result = await run;
        result.ExitStatus.Should().BeEquivalentTo(new { Canceled = true, SignalNumber = 9, ExitCode = 137 });
        result.StandardOutput.Should().Be(inside + "\n", "what was written before is not lost");
        HostView.ProcessesIn(inside).Should().BeEmpty();
    }

    [Fact(Timeout = 30_000)]
    public async Task Run_and_RunAsync_end_a_program_in_time()
    {
        var options = new IsolationOptions("sleep", "1000");
        var (_, status) = await Doubling(timeout => Task.Run(() => IsolatedProcess.Run(options, timeout), Token), static _ => true);
        status.Should().BeEquivalentTo(new { Canceled = true, SignalNumber = 9 });
        (_, status) = await Doubling(async timeout =>
        {
            using var cancellation = new CancellationTokenSource(timeout);
            return await IsolatedProcess.RunAsync(options, cancellation.Token);
        }, static _ => true);
        status.Should().BeEquivalentTo(new { Canceled = true, SignalNumber = 9 });
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_a_pid_namespace_the_process_group_is_ended()
    {
        var options = Sandbox.ShellIn(Namespaces.Default & ~Namespaces.Pid,
            "sleep 1000 & sh -c 'sleep 1000 & exec sleep 1000' & echo $$; exec sleep 1000");
        var (_, result) = await RunUntilReady(options);
        result.ExitStatus.Should().BeEquivalentTo(new { Canceled = true, SignalNumber = 9 });
        result.StandardOutput.Should().Be(result.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        await HostView.Until(() => HostView.ProcessesOfGroup(result.ProcessId).Count == 0, "the group has ended");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_program_that_leaves_the_group_does_not_hold_up_a_timeout(bool isAsync)
    {
        Programs.Require("setsid");
        // Out of the group's reach and with the output open: the capture must end nevertheless.
        var options = Sandbox.ShellIn(Namespaces.Default & ~Namespaces.Pid, "setsid sh -c 'echo $$; exec sleep 1000' & exec sleep 1000");
        var (_, result) = await RunUntilReady(options, isAsync);
        result.ExitStatus.Canceled.Should().BeTrue();
        using var left = System.Diagnostics.Process.GetProcessById(int.Parse(result.StandardOutput, CultureInfo.InvariantCulture));
        left.Kill();
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_program_that_has_ended_was_not_canceled_though_its_output_stays_open(bool isAsync)
    {
        Programs.Require("setsid");
        var options = Sandbox.ShellIn(Namespaces.Default & ~Namespaces.Pid,
            "setsid sh -c 'echo $$; echo > /tmp/ready; exec sleep 1000' & until [ -e /tmp/ready ]; do :; done; exit 3");
        var (_, result) = await RunUntilReady(options, isAsync);
        result.ExitStatus.Should().BeEquivalentTo(new { Canceled = false, ExitCode = 3 });
        using var left = System.Diagnostics.Process.GetProcessById(int.Parse(result.StandardOutput, CultureInfo.InvariantCulture));
        left.Kill();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_that_ends_in_time_was_not_canceled()
    {
        IsolatedProcess.Run(new IsolationOptions("true"), TimeSpan.FromSeconds(20)).ToString().Should().Be("exit code 0");
        IsolatedProcess.RunAndCaptureText(new IsolationOptions("true"), TimeSpan.FromSeconds(20)).ExitStatus.ToString().Should().Be("exit code 0");
        using var cancellation = new CancellationTokenSource();
        var result = await IsolatedProcess.RunAsync(new IsolationOptions("true"), cancellation.Token);
        await cancellation.CancelAsync();
        result.Canceled.Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task An_infinite_timeout_is_no_limit()
    {
        IsolatedProcess.Run(Sandbox.Shell("exit 3"), Timeout.InfiniteTimeSpan).ToString().Should().Be("exit code 3");
        IsolatedProcess.RunAndCaptureText(Sandbox.Shell("echo hello"), Timeout.InfiniteTimeSpan).StandardOutput.Should().Be("hello\n");
        await using var process = await IsolatedProcess.StartAsync(Sandbox.Shell("exit 4"), Token);
        process.WaitForExit(Timeout.InfiniteTimeSpan).ToString().Should().Be("exit code 4");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_negative_timeout_is_refused()
    {
        // A millisecond less than nothing is the infinite one.
        foreach (var timeout in (TimeSpan[])[TimeSpan.FromSeconds(-1), TimeSpan.FromMilliseconds(-2), TimeSpan.FromTicks(-1), TimeSpan.MinValue])
        {
            FluentActions.Invoking(() => IsolatedProcess.Run(new IsolationOptions("true"), timeout)).Should().Throw<ArgumentOutOfRangeException>();
            FluentActions.Invoking(() => IsolatedProcess.RunAndCaptureText(new IsolationOptions("true"), timeout)).Should().Throw<ArgumentOutOfRangeException>();
            await using var process = await IsolatedProcess.StartAsync(new IsolationOptions("true"), Token);
            FluentActions.Invoking(() => process.WaitForExit(timeout)).Should().Throw<ArgumentOutOfRangeException>();
        }
    }

    /// <summary>How long the script takes to get ready is not known: a timeout that comes before that is doubled.</summary>
    private static Task<(TimeSpan Timeout, ProcessTextOutput Result)> RunUntilReady(IsolationOptions options, bool isAsync = false) => Doubling(async timeout =>
    {
        using var cancellation = new CancellationTokenSource(timeout);
        return isAsync
            ? await IsolatedProcess.RunAndCaptureTextAsync(options, cancellation.Token)
            : await Task.Run(() => IsolatedProcess.RunAndCaptureText(options, timeout), Token);
    }, static result => result.StandardOutput.Length > 0);

    /// <summary>Tries a timeout, and twice that, and so on, until it comes neither before the program runs nor before what is wanted.</summary>
    private static async Task<(TimeSpan Timeout, T Result)> Doubling<T>(Func<TimeSpan, Task<T>> run, Func<T, bool> isReady)
    {
        var limit = TimeSpan.FromSeconds(10);
        for (var timeout = TimeSpan.FromMilliseconds(400); ; timeout *= 2)
        {
            try
            {
                var result = await run(timeout);
                if (isReady(result) || timeout > limit) return (timeout, result);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException && timeout <= limit && !Token.IsCancellationRequested)
            {
                // The time was up before the program ran.
            }
        }
    }
}
