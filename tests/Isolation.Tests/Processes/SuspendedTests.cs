using System.Globalization;
using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class SuspendedTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<bool, bool> Ways => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Ways))]
    public async Task The_sandbox_is_ready_and_the_program_runs_when_it_is_released(bool isAsync, bool useInit)
    {
        var options = Sandbox.Shell("hostname; read -r line; exit 7");
        options.UseInit = useInit;
        options.HostName = "box";
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        await using var process = await Start(options, isAsync);

        process.IsSuspended.Should().BeTrue();
        process.HasExited.Should().BeFalse();
        process.InnerProcessId.Should().Be(useInit ? 2 : 1);
        var pids = process.GetProcessIds();
        pids.Should().HaveCount(useInit ? 2 : 1).And.StartWith(process.ProcessId);
        // Everything is in place: what the program will be is seen from outside already.
        var program = pids[^1];
        File.ReadAllText($"/proc/{program}/comm").Should().NotBe("sh\n");
        foreach (var name in (string[])["uts", "mnt", "pid", "net", "user"])
            new FileInfo($"/proc/{program}/ns/{name}").LinkTarget.Should().NotBe(new FileInfo($"/proc/self/ns/{name}").LinkTarget);
        var status = File.ReadAllLines($"/proc/{program}/status");
        status.Should().Contain("Seccomp:\t2", "the filter is in place").And.Contain("NoNewPrivs:\t1").And.Contain("CapPrm:\t0000000000000000");
        var ready = process.StandardOutput.ReadAsync(new byte[1], Token).AsTask();
        await Task.Delay(30, Token);
        ready.IsCompleted.Should().BeFalse("nothing has run yet");

        await Release(process, isAsync);
        process.IsSuspended.Should().BeFalse();
        (await ready).Should().Be(1);
        (await process.ReadLine()).Should().Be("ox");
        await process.WriteLine("go");
        var end = await process.WaitForExitAsync(Token);
        end.ExitCode.Should().Be(7);
        end.Reason.Should().Be(ProcessEndReason.Exited);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task It_can_be_started_in_one_way_and_released_in_the_other(bool start, bool release)
    {
        var options = Sandbox.Shell("exit 3");
        await using var process = await Start(options, start);
        await Release(process, release);
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(3);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Ways))]
    public async Task A_program_that_cannot_be_executed_is_the_releases_failure(bool isAsync, bool useInit)
    {
        var options = new IsolationOptions("/etc/passwd") { UseInit = useInit, StandardOutput = StandardStream.Pipe };
        await using var process = await Start(options, isAsync);
        var exit = process.WaitForExitAsync(Token);
        var release = () => Release(process, isAsync);

        var failure = (await release.Should().ThrowAsync<IsolationException>()).Which;
        failure.Step.Should().Be("execute the program");
        failure.Errno.Should().Be(13);
        failure.Path.Should().Be("/etc/passwd");
        HostView.Exists(process.ProcessId).Should().BeFalse("nothing is left");
        process.GetProcessIds().Should().BeEmpty();
        process.HasExited.Should().BeTrue();
        process.IsSuspended.Should().BeFalse();
        // It never ran, so there is no exit code that could be taken for its own.
        var status = () => process.ExitStatus;
        status.Should().Throw<IsolationException>().Which.Should().BeSameAs(failure);
        (await ((Func<Task>)(() => exit)).Should().ThrowAsync<IsolationException>()).Which.Should().BeSameAs(failure);
        process.Kill();
        process.Signal(PosixSignal.SIGTERM).Should().BeFalse();
        await release.Should().ThrowAsync<InvalidOperationException>();
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Ways))]
    public async Task Disposed_before_its_release_it_leaves_nothing(bool isAsync, bool useInit)
    {
        var options = Sandbox.Shell("exit 0");
        options.UseInit = useInit;
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        var process = await Start(options, isAsync);
        var pids = process.GetProcessIds();
        if (isAsync) await process.DisposeAsync();
        else process.Dispose();

        foreach (var pid in pids) HostView.Exists(pid).Should().BeFalse();
        process.ExitStatus.Reason.Should().Be(ProcessEndReason.Killed);
        var release = () => Release(process, isAsync);
        await release.Should().ThrowAsync<InvalidOperationException>();
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_from_outside_before_its_release_it_says_so(bool isAsync)
    {
        await using var process = await Start(Sandbox.Shell("exit 0"), isAsync);
        using (var victim = System.Diagnostics.Process.GetProcessById(process.ProcessId)) victim.Kill();

        var status = await process.WaitForExitAsync(Token);
        status.SignalNumber.Should().Be(9);
        status.Reason.Should().Be(ProcessEndReason.Signaled);
        process.IsSuspended.Should().BeFalse();
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_release_that_comes_too_late_fails_as_a_set_up_does(bool isAsync)
    {
        for (var i = 0; i < 20; i++)
        {
            await using var process = await Start(Sandbox.Shell("read -r line"), isAsync);
            // The event loop may or may not have been told before the release.
            process.Kill();
            var release = () => Release(process, isAsync);
            var failure = (await release.Should().ThrowAsync<Exception>()).Which;
            if (failure is IsolationException e) e.Hint.Should().Contain("killed");
            else failure.Should().BeOfType<InvalidOperationException>();
            (await process.WaitForExitAsync(Token)).Reason.Should().Be(ProcessEndReason.Killed);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task It_can_be_stopped_paused_and_waited_for_like_one_that_runs()
    {
        var options = Sandbox.Shell("echo ran");
        options.UseInit = true;
        options.StandardOutput = StandardStream.Pipe;
        await using (var process = await IsolatedProcess.StartSuspendedAsync(options, Token))
        {
            var status = await process.StopAsync(TimeSpan.FromSeconds(20), PosixSignal.SIGINT, Token);
            status.SignalNumber.Should().Be(2, "it has the signals of a program already");
        }

        await using (var process = await IsolatedProcess.StartSuspendedAsync(options, Token))
        {
            process.Pause().Should().BeTrue();
            var wait = () => process.WaitForExit(TimeSpan.FromMilliseconds(20));
            wait.Should().Throw<TimeoutException>();
            process.Resume().Should().BeTrue();
            process.IsSuspended.Should().BeTrue("SIGCONT is no release");
            await process.ReleaseAsync(Token);
            (await process.ReadLine()).Should().Be("ran");
            process.WaitForExit(TimeSpan.FromSeconds(20)).ExitCode.Should().Be(0);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_release_while_it_is_paused_waits_until_it_goes_on()
    {
        await using var process = await IsolatedProcess.StartSuspendedAsync(Sandbox.Shell("exit 6"), Token);
        process.Pause().Should().BeTrue();
        var release = process.ReleaseAsync(Token);
        await Task.Delay(20, Token);
        release.IsCompleted.Should().BeFalse();
        process.Resume().Should().BeTrue();
        await release;
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(6);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_canceled_release_ends_the_sandbox(bool before)
    {
        await using var process = await IsolatedProcess.StartSuspendedAsync(Sandbox.Shell("exit 6"), Token);
        process.Pause().Should().BeTrue();
        using var cancellation = new CancellationTokenSource();
        if (before) await cancellation.CancelAsync();
        var release = process.ReleaseAsync(cancellation.Token);
        await cancellation.CancelAsync();

        await ((Func<Task>)(() => release)).Should().ThrowAsync<OperationCanceledException>();
        process.HasExited.Should().BeTrue();
        process.ExitStatus.SignalNumber.Should().Be(9);
        HostView.Exists(process.ProcessId).Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task Only_what_is_suspended_can_be_released_and_only_once()
    {
        await using var running = await Sandbox.Waiting();
        running.IsSuspended.Should().BeFalse();
        var release = running.Release;
        release.Should().Throw<InvalidOperationException>().WithMessage("*not started suspended*");

        await using var process = await IsolatedProcess.StartSuspendedAsync(Sandbox.Shell("read -r line; sleep 1000"), Token);
        await process.ReleaseAsync(Token);
        ((Action)process.Release).Should().Throw<InvalidOperationException>().WithMessage("*released before*");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Ways))]
    public async Task A_filter_under_which_nobody_may_wait_comes_with_the_release(bool isAsync, bool useInit)
    {
        // Only what a shell does by itself: other programs need futex.
        var options = Sandbox.Shell("while read -r name value; do [ $name = Seccomp: ] && echo $value; done < /proc/self/status");
        options.UseInit = useInit;
        options.StandardOutput = StandardStream.Pipe;
        options.Security.Seccomp = SeccompProfile.Default.With(new SeccompRule(SeccompAction.KillProcess, ["futex"]));
        await using var process = await Start(options, isAsync);
        File.ReadAllLines($"/proc/{process.GetProcessIds()[^1]}/status").Should().Contain("Seccomp:\t0");
        await Release(process, isAsync);
        (await process.ReadLine()).Should().Be("2");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_handler_of_syscalls_is_there_whether_its_filter_comes_before_or_with_the_release(bool isAsync, bool mayWait)
    {
        var seen = 0;
        var options = Sandbox.Shell("kill -0 $$; exit 4");
        options.Security.Seccomp = SeccompProfile.Default.With(mayWait
            ? [new SeccompRule(SeccompAction.Notify, ["kill"])]
            : [new SeccompRule(SeccompAction.Notify, ["kill"]), new SeccompRule(SeccompAction.KillProcess, ["futex"])]);
        options.Security.SyscallHandler = _ =>
        {
            Interlocked.Increment(ref seen);
            return ValueTask.FromResult(SyscallAnswer.Continue);
        };
        await using var process = await Start(options, isAsync);
        await Release(process, isAsync);
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(4);
        seen.Should().Be(1);
    }

    /// <summary>The status pipe is moved out of the way of handles whose numbers the user chooses, and what is told through it is still told.</summary>
    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Inherited_handles_may_have_any_number(bool isAsync)
    {
        using var file = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite);
        var options = Sandbox.Shell("ls -v /proc/self/fd | tr '\\n' ' '");
        options.StandardOutput = StandardStream.Pipe;
        for (var number = 3; number < 12; number++) options.InheritedHandles[number] = file;
        await using var process = await Start(options, isAsync);
        await Release(process, isAsync);
        var (output, _) = await process.ReadAllTextAsync(Token);
        output.Should().Be("0 1 2 3 4 5 6 7 8 9 10 11 12 ", "the last is the folder that ls reads");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(Namespaces.None)]
    [InlineData(Namespaces.User | Namespaces.Mount)]
    public async Task It_needs_no_namespace_of_its_own(Namespaces namespaces)
    {
        var options = Sandbox.Shell("exit 5");
        options.Namespaces = namespaces;
        await using var process = await IsolatedProcess.StartSuspendedAsync(options, Token);
        process.InnerProcessId.Should().Be(process.ProcessId);
        process.Release();
        process.WaitForExit(TimeSpan.FromSeconds(20)).ExitCode.Should().Be(5);
    }

    [Fact(Timeout = 60_000)]
    public async Task Many_wait_at_once_and_take_no_thread()
    {
        var before = Threads();
        var all = await Task.WhenAll(Enumerable.Range(0, 60).Select(static n => IsolatedProcess.StartSuspendedAsync(Sandbox.Shell($"exit {n}"), Token)));
        try
        {
            (Threads() - before).Should().BeLessThan(30, "half as many would be too many");
            foreach (var process in all.Reverse()) await process.ReleaseAsync(Token);
            for (var n = 0; n < all.Length; n++) (await all[n].WaitForExitAsync(Token)).ExitCode.Should().Be(n);
        }
        finally
        {
            foreach (var process in all) await process.DisposeAsync();
        }

        static int Threads() => int.Parse(File.ReadLines("/proc/self/status").First(static line => line.StartsWith("Threads:", StringComparison.Ordinal))[8..].Trim(),
            CultureInfo.InvariantCulture);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_start_that_fails_or_is_canceled_leaves_nothing()
    {
        var missing = async () => await IsolatedProcess.StartSuspendedAsync(new IsolationOptions("true") { WorkingDirectory = "/nowhere" }, Token);
        (await missing.Should().ThrowAsync<IsolationException>()).Which.Step.Should().Be("enter the working directory");
        var blocking = () => IsolatedProcess.StartSuspended(new IsolationOptions("true") { WorkingDirectory = "/nowhere" });
        blocking.Should().Throw<IsolationException>();
        using var canceled = new CancellationTokenSource();
        await canceled.CancelAsync();
        var start = async () => await IsolatedProcess.StartSuspendedAsync(new IsolationOptions("true"), canceled.Token);
        await start.Should().ThrowAsync<OperationCanceledException>();
    }

    private static async Task<IsolatedProcess> Start(IsolationOptions options, bool isAsync) =>
        isAsync ? await IsolatedProcess.StartSuspendedAsync(options, Token) : IsolatedProcess.StartSuspended(options);

    private static async Task Release(IsolatedProcess process, bool isAsync)
    {
        if (isAsync) await process.ReleaseAsync(Token);
        else process.Release();
    }
}
