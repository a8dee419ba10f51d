using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class LifecycleTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Start_returns_a_program_that_runs()
    {
        using var process = IsolatedProcess.Start(Cat());
        process.HasExited.Should().BeFalse();
        // The exec cannot fail any more, but may be in its last microseconds.
        SpinWait.SpinUntil(() => HostView.Read(process.ProcessId, "comm") == "cat\n", TimeSpan.FromSeconds(10)).Should().BeTrue();
        FluentActions.Invoking(() => process.ExitStatus).Should().Throw<InvalidOperationException>();
        process.StandardInput.Dispose();
        process.WaitForExit(TimeSpan.FromSeconds(20)).ExitCode.Should().Be(0);
        process.HasExited.Should().BeTrue();
        process.ExitStatus.ExitCode.Should().Be(0);
    }

    [Fact(Timeout = 30_000)]
    public async Task StartAsync_returns_a_program_that_runs()
    {
        await using var process = await IsolatedProcess.StartAsync(Cat(), Token);
        process.HasExited.Should().BeFalse();
        HostView.Read(process.ProcessId, "comm").Should().Be("cat\n");
        process.StandardInput.Dispose();
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(0);
        process.HasExited.Should().BeTrue();
    }

    [Fact]
    public void Run_waits_for_the_end() => IsolatedProcess.Run(Sandbox.Shell("exit 3")).ExitCode.Should().Be(3);

    [Fact(Timeout = 30_000)]
    public async Task RunAsync_waits_for_the_end() => (await IsolatedProcess.RunAsync(Sandbox.Shell("exit 4"), Token)).ExitCode.Should().Be(4);

    [Fact]
    public void RunAndCaptureText_returns_what_was_written()
    {
        var result = IsolatedProcess.RunAndCaptureText(Sandbox.Shell("echo out; echo err >&2; exit 5"));
        (result.StandardOutput, result.StandardError, result.ExitStatus.ToString()).Should().Be(("out\n", "err\n", "exit code 5"));
        result.ProcessId.Should().BeGreaterThan(1);
    }

    [Fact(Timeout = 30_000)]
    public async Task RunAndCaptureTextAsync_returns_what_was_written()
    {
        var result = await IsolatedProcess.RunAndCaptureTextAsync(Sandbox.Shell("echo out; echo err >&2; exit 6"), Token);
        (result.StandardOutput, result.StandardError, result.ExitStatus.ToString()).Should().Be(("out\n", "err\n", "exit code 6"));
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Megabytes_on_both_outputs_are_captured(bool isAsync)
    {
        var options = Sandbox.Shell("head -c 4194304 /dev/zero | tr '\\0' a & head -c 4194304 /dev/zero | tr '\\0' b >&2; wait");
        var result = isAsync ? await IsolatedProcess.RunAndCaptureTextAsync(options, Token) : IsolatedProcess.RunAndCaptureText(options);
        result.StandardOutput.Length.Should().Be(4 << 20);
        result.StandardError.Length.Should().Be(4 << 20);
        result.StandardOutput.Should().NotContain("b");
        result.StandardError.Should().NotContain("a");
    }

    [Fact(Timeout = 30_000)]
    public async Task Captured_text_may_cut_a_character_anywhere_in_transit()
    {
        var text = string.Concat(Enumerable.Repeat("äöü€😀", 20_000));
        using var folder = new TemporaryFolder();
        var options = new IsolationOptions("cat", folder.File("text", text));
        options.Filesystem.PrivateTmp = false;
        (await Sandbox.OutputOf(options)).Should().Be(text);
    }

    [Fact(Timeout = 30_000)]
    public async Task An_output_sent_elsewhere_is_not_captured()
    {
        var options = Sandbox.Shell("echo out; echo err >&2");
        options.StandardError = StandardStream.Null;
        var result = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
        (result.StandardOutput, result.StandardError).Should().Be(("out\n", ""));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_that_ends_before_what_it_started_ends_it_with_its_namespace()
    {
        // The grandchild holds the output open; it ends with process 1, so the capture ends, too.
        var result = await IsolatedProcess.RunAndCaptureTextAsync(Sandbox.Shell("sleep 1000 & echo done"), Token);
        result.StandardOutput.Should().Be("done\n");
        result.ExitStatus.ToString().Should().Be("exit code 0");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_a_pid_namespace_it_ends_its_process_group(bool isAsync)
    {
        var options = Sandbox.ShellIn(Namespaces.Default & ~Namespaces.Pid, "sleep 1000 & echo $!");
        var result = isAsync ? await IsolatedProcess.RunAndCaptureTextAsync(options, Token) : IsolatedProcess.RunAndCaptureText(options);
        result.ExitStatus.ToString().Should().Be("exit code 0");
        await HostView.Until(() => HostView.ProcessesOfGroup(result.ProcessId).Count == 0, "the group has ended");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pipes_that_nobody_would_serve_are_refused(bool isAsync)
    {
        var options = new IsolationOptions("cat") { StandardInput = StandardStream.Pipe };
        var call = () => isAsync ? IsolatedProcess.RunAndCaptureTextAsync(options, Token)
            : Task.FromResult(IsolatedProcess.RunAndCaptureText(options));
        await call.Should().ThrowAsync<ArgumentException>().WithMessage("StandardInput*");
        options = new IsolationOptions("cat") { StandardOutput = StandardStream.Pipe };
        var run = () => isAsync ? IsolatedProcess.RunAsync(options, Token) : Task.FromResult(IsolatedProcess.Run(options));
        await run.Should().ThrowAsync<ArgumentException>().WithMessage("StandardOutput*");
    }

    [Fact]
    public void Streams_that_are_no_pipes_are_refused()
    {
        using var process = IsolatedProcess.Start(Sandbox.Shell("read -r line"));
        foreach (var stream in (Func<Stream>[])[() => process.StandardInput, () => process.StandardOutput, () => process.StandardError])
            stream.Should().Throw<InvalidOperationException>().WithMessage("*StandardStream.Pipe*");
        FluentActions.Awaiting(() => process.ReadAllTextAsync(Token)).Should().ThrowAsync<InvalidOperationException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task Waiting_can_be_given_up_without_ending_the_program()
    {
        await using var process = await Sandbox.Waiting();
        using var cancellation = new CancellationTokenSource();
        var wait = process.WaitForExitAsync(cancellation.Token);
        await cancellation.CancelAsync();
        await FluentActions.Awaiting(() => wait).Should().ThrowAsync<OperationCanceledException>();
        FluentActions.Invoking(() => process.WaitForExit(TimeSpan.FromMilliseconds(20))).Should().Throw<TimeoutException>();
        FluentActions.Invoking(() => process.WaitForExit(TimeSpan.Zero)).Should().Throw<TimeoutException>();
        FluentActions.Invoking(() => process.WaitForExit(TimeSpan.FromSeconds(-2))).Should().Throw<ArgumentOutOfRangeException>();
        process.HasExited.Should().BeFalse();
        await process.WriteLine("go");
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(0);
    }

    [Fact(Timeout = 30_000)]
    public async Task Many_may_wait_for_the_same_end()
    {
        await using var process = await Sandbox.Waiting(Namespaces.Default, "trap 'exit 9' EXIT");
        var waits = Enumerable.Range(0, 50)
            .Select(n => n % 2 == 0 ? process.WaitForExitAsync(Token) : Task.Run(() => process.WaitForExit(), Token)).ToList();
        await process.WriteLine("go");
        (await Task.WhenAll(waits)).Should().OnlyContain(static status => status.ExitCode == 9);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_start_that_is_canceled_already_does_nothing()
    {
        var canceled = new CancellationToken(true);
        await FluentActions.Awaiting(() => IsolatedProcess.StartAsync(new IsolationOptions("true"), canceled))
            .Should().ThrowAsync<OperationCanceledException>();
        await FluentActions.Awaiting(() => IsolatedProcess.RunAsync(new IsolationOptions("true"), canceled))
            .Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task The_same_options_can_be_used_by_many_threads_at_once()
    {
        var options = Sandbox.Shell("echo $$ $NAME $1; exit 5", "argument");
        options.Environment["NAME"] = "value";
        options.HostName = "box";
        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() => IsolatedProcess.RunAndCaptureText(options), Token)));
        results.Select(static result => (result.StandardOutput, result.StandardError, result.ExitStatus.ExitCode))
            .Should().AllBeEquivalentTo(("1 value argument\n", "", 5));
        results.Select(static result => result.ProcessId).Should().OnlyHaveUniqueItems();
    }

    private static IsolationOptions Cat() => new("cat") { StandardInput = StandardStream.Pipe, StandardOutput = StandardStream.Null };
}
