using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class ControlTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task A_program_that_listens_is_stopped_in_its_own_way()
    {
        var options = Sandbox.Shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.02; done");
        options.StandardOutput = StandardStream.Pipe;
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        await process.ReadLine();
        var status = await process.StopAsync(TimeSpan.FromSeconds(20), cancellationToken: Token);

        status.ExitCode.Should().Be(5);
        status.Reason.Should().Be(ProcessEndReason.Exited);
    }

    [Fact(Timeout = 30_000)]
    public async Task Process_1_without_a_handler_is_killed_when_the_patience_is_over()
    {
        await using var process = await Sandbox.Waiting();
        var status = await process.StopAsync(TimeSpan.FromMilliseconds(100), cancellationToken: Token);

        status.SignalNumber.Should().Be(9);
        status.Reason.Should().Be(ProcessEndReason.Killed);
        status.Canceled.Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task Under_init_the_stop_signal_works_without_a_handler()
    {
        var options = Sandbox.Shell(":");
        options.UseInit = true;
        await using var process = await Sandbox.Waiting(options);
        var status = await process.StopAsync(TimeSpan.FromSeconds(20), PosixSignal.SIGINT, Token);

        status.SignalNumber.Should().Be(2);
        status.Reason.Should().Be(ProcessEndReason.Signaled);
        (await process.StopAsync(TimeSpan.FromSeconds(20), cancellationToken: Token)).Should().Be(status, "it has ended before");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_canceled_patience_kills_at_once()
    {
        await using var process = await Sandbox.Waiting();
        using var canceled = new CancellationTokenSource(50);

        (await process.StopAsync(Timeout.InfiniteTimeSpan, cancellationToken: canceled.Token)).Reason.Should().Be(ProcessEndReason.Killed);
        var start = () => process.StopAsync(TimeSpan.FromSeconds(-2), cancellationToken: Token);
        await start.Should().ThrowAsync<ArgumentOutOfRangeException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task The_reason_tells_a_time_limit_from_a_cancellation_and_a_crash()
    {
        IsolatedProcess.Run(new("sleep", "60"), TimeSpan.FromSeconds(1)).Reason.Should().Be(ProcessEndReason.TimedOut);
        using var canceled = new CancellationTokenSource(100);
        (await IsolatedProcess.RunAsync(new("sleep", "60"), canceled.Token)).Reason.Should().Be(ProcessEndReason.Canceled);
        var crash = Sandbox.Shell("kill -SEGV $$");
        crash.UseInit = true;
        (await IsolatedProcess.RunAsync(crash, Token)).Reason.Should().Be(ProcessEndReason.Signaled);
        (await IsolatedProcess.RunAsync(Sandbox.Shell("exit 137"), Token)).Reason.Should().Be(ProcessEndReason.Exited);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(Namespaces.Default)]
    [InlineData(Namespaces.Default & ~Namespaces.Pid)]
    public async Task A_program_that_has_lost_the_sandbox_it_was_started_in_says_so(Namespaces namespaces)
    {
        await using var sandbox = await Sandbox.Waiting(namespaces);
        await using var inside = await sandbox.StartAsync(new("sleep", "1000"), cancellationToken: Token);
        await sandbox.StandardInput.DisposeAsync(); // its shell reads no line, and ends
        (await sandbox.WaitForExitAsync(Token)).Reason.Should().Be(ProcessEndReason.Exited);
        var status = await inside.WaitForExitAsync(Token);
        status.SignalNumber.Should().Be(9);
        status.Reason.Should().Be(ProcessEndReason.ParentExited);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_host_sees_every_process_inside(bool useInit)
    {
        // A child, a grandchild, and one whose parent has ended: those below process 1 are the sandbox's, whoever made them.
        var options = Sandbox.Shell("sleep 1000 & (sleep 1000; :) & (sleep 1000 &); ls -d /proc/[0-9]* | wc -l");
        options.UseInit = useInit;
        options.StandardOutput = options.StandardInput = StandardStream.Pipe;
        options.Arguments[1] += "; read -r line";
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        _ = await process.ReadLine();
        var expected = useInit ? 6 : 5; // the shell, three sleeps and a subshell, and the init
        IReadOnlyList<int> pids;
        while ((pids = process.GetProcessIds()).Count != expected) await Task.Delay(5, Token); // ls and wc are still ending

        pids[0].Should().Be(process.ProcessId);
        pids.Should().OnlyHaveUniqueItems();
        var names = pids.Select(pid => File.ReadAllText($"/proc/{pid}/comm").Trim()).ToArray();
        names.Count(name => name == "sleep").Should().Be(3);
        process.Kill();
        await process.WaitForExitAsync(Token);
        process.GetProcessIds().Should().BeEmpty();
        foreach (var pid in pids) HasEnded(pid).Should().BeTrue($"process {pid} is gone");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_paused_sandbox_stands_still_and_goes_on(bool useInit)
    {
        // Makes processes all the time, so that pausing has to catch those that are just being born.
        var options = Sandbox.Shell("for i in 1 2 3; do while :; do /bin/true; done & done; while :; do echo x; /bin/true; done");
        options.UseInit = useInit;
        options.StandardOutput = StandardStream.Pipe;
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        for (var i = 0; i < 5; i++)
        {
            (await process.ReadLine()).Should().Be("x");
            process.Pause().Should().BeTrue();
            var pids = process.GetProcessIds();
            var before = pids.Select(CpuTime).ToArray();
            await Task.Delay(50, Token);
            process.GetProcessIds().Should().Equal(pids, "nobody is born and nobody ends");
            pids.Select(CpuTime).Should().Equal(before, "nobody runs");
            process.Resume().Should().BeTrue();
            // More than the pipe can have held when everything stood still.
            for (var line = 0; line < 40; line++) await process.ReadLine();
        }

        process.Kill();
        await process.WaitForExitAsync(Token);
        process.Pause().Should().BeFalse();
        process.Resume().Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_paused_sandbox_can_be_ended()
    {
        await using var process = await Sandbox.Waiting();
        process.Pause();
        (await process.StopAsync(TimeSpan.FromMilliseconds(20), cancellationToken: Token)).Reason.Should().Be(ProcessEndReason.Killed);
    }

    private static bool HasEnded(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1][0] is 'Z' or 'X';
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static string CpuTime(int pid)
    {
        var fields = File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1].Split(' ');
        return $"{pid}: {fields[11]} {fields[12]}";
    }
}
