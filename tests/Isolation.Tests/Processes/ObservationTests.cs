using FluentAssertions;
using Isolation.Tests.Support;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Isolation.Tests;

public class ObservationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task Start_and_end_are_logged()
    {
        var logger = new ListLogger(LogLevel.Debug);
        var options = Sandbox.Shell("exit 3");
        options.Logger = logger;
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        await process.WaitForExitAsync(Token);
        logger.Entries.Select(static entry => entry.Message).Should().HaveCount(2).And.StartWith($"Started /bin/sh as process {process.ProcessId}");
        logger.Entries.Last().Message.Should().StartWith($"/bin/sh, process {process.ProcessId}, ended with 3 (Exited) after 00:00:0");
        logger.Entries.Should().OnlyContain(static entry => entry.Level == LogLevel.Debug);
    }

    [Fact]
    public void A_failure_is_logged_with_its_exception()
    {
        var logger = new ListLogger(LogLevel.Debug);
        var failure = FluentActions.Invoking(() => IsolatedProcess.Run(new IsolationOptions("/no/such/program") { Logger = logger }))
            .Should().Throw<IsolationException>().Which;
        logger.Entries.Should().Equal((LogLevel.Warning, "/no/such/program was not started", failure));
    }

    [Fact(Timeout = 30_000)]
    public async Task The_plan_is_logged_at_trace_level()
    {
        var logger = new ListLogger(LogLevel.Trace);
        var options = new IsolationOptions("true") { Logger = logger, HostName = "box" };
        await IsolatedProcess.RunAsync(options, Token);
        logger.Entries.Should().ContainSingle(static entry => entry.Level == LogLevel.Trace).Which.Message
            .Should().StartWith("The plan for true:").And.Contain("sethostname(\"box\"");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_logger_that_throws_harms_nothing()
    {
        var options = Sandbox.Shell("exit 3");
        options.Logger = new ListLogger(LogLevel.Trace, static _ => throw new InvalidOperationException("the log is full"));
        (await IsolatedProcess.RunAsync(options, Token)).ExitCode.Should().Be(3);
        IsolatedProcess.Run(options).ExitCode.Should().Be(3);
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(3);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_logger_that_is_slow_holds_up_no_other_sandbox()
    {
        using var release = new ManualResetEventSlim();
        var logger = new ListLogger(LogLevel.Debug, message =>
        {
            if (message.Contains("ended", StringComparison.Ordinal)) release.Wait(Token);
        });
        var slow = new IsolationOptions("true") { Logger = logger };
        await using var process = await IsolatedProcess.StartAsync(slow, Token);
        var exit = process.WaitForExitAsync(Token);
        try
        {
            (await IsolatedProcess.RunAsync(new IsolationOptions("true"), Token)).ExitCode.Should().Be(0);
            await HostView.Until(() => !HostView.Exists(process.ProcessId), "the slow logger's program is reaped");
            (await IsolatedProcess.RunAsync(new IsolationOptions("true"), Token)).ExitCode.Should().Be(0);
        }
        finally
        {
            release.Set();
        }

        (await exit).ExitCode.Should().Be(0);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_plan_explains_itself_and_starts_nothing()
    {
        var options = new IsolationOptions("isolation-no-such-program", "an argument") { HostName = "box", WorkingDirectory = "/usr" };
        var plan = options.Explain();
        plan.Should().Contain("sethostname(\"box\"").And.Contain("CLONE_NEWPID").And.Contain("CLONE_NEWNET").And.Contain("chdir(\"/usr\"")
            .And.Contain("\"/usr/bin/isolation-no-such-program\"").And.Contain("\"an argument\"").And.Contain("mount a fresh procfs");
        options.Namespaces = Namespaces.User;
        options.HostName = null;
        options.Explain().Should().NotContain("sethostname").And.NotContain("CLONE_NEWPID").And.NotContain("procfs").And.Contain("CLONE_NEWUSER");
        options.Explain().Should().Be(options.Explain());
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(options.Explain, Token)));
    }

    [Fact]
    public void A_plan_is_not_made_of_options_that_contradict_each_other() =>
        FluentActions.Invoking(() => new IsolationOptions("true") { HostName = "box", Namespaces = Namespaces.User }.Explain())
            .Should().Throw<ArgumentException>();
}
