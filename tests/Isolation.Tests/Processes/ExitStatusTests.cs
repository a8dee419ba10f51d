using System.Globalization;
using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class ExitStatusTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_exit_code_of_one_byte_arrives(bool useInit)
    {
        var codes = Enumerable.Range(0, 256).Where(static code => code % 8 is 0 or 7 || code is > 123 and < 132);
        await Parallel.ForEachAsync(codes, Token, async (code, token) =>
        {
            var options = Sandbox.Shell("exit " + code.ToString(CultureInfo.InvariantCulture));
            options.UseInit = useInit;
            options.Namespaces = Privilege.Possible(Namespaces.Pid); // many, so cheap ones
            var status = await IsolatedProcess.RunAsync(options, token);
            (status.ExitCode, status.Signal, status.SignalNumber, status.CoreDumped, status.Canceled).Should().Be((code, null, 0, false, false));
        });
    }

    [Theory(Timeout = 30_000)]
    [InlineData(1, PosixSignal.SIGHUP)]
    [InlineData(2, PosixSignal.SIGINT)]
    [InlineData(9, (PosixSignal)9)]
    [InlineData(10, (PosixSignal)10)]
    [InlineData(13, (PosixSignal)13)]
    [InlineData(14, (PosixSignal)14)]
    [InlineData(15, PosixSignal.SIGTERM)]
    [InlineData(34, (PosixSignal)34)]
    [InlineData(64, (PosixSignal)64)]
    public async Task The_signal_that_ended_a_program_is_told(int number, PosixSignal signal)
    {
        foreach (var useInit in (bool[])[true, false])
        {
            var options = Shell(useInit, "ulimit -c 0; kill -$1 $$; echo survived");
            options.Arguments.Add(number.ToString(CultureInfo.InvariantCulture));
            var status = (await IsolatedProcess.RunAndCaptureTextAsync(options, Token)).ExitStatus;
            (status.ExitCode, status.Signal, status.SignalNumber, status.CoreDumped, status.Canceled)
                .Should().Be((128 + number, signal, number, false, false), "UseInit is {0}", useInit);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_killed_by_the_host_was_not_canceled()
    {
        await using var process = await Sandbox.Waiting();
        process.Kill();
        var status = await process.WaitForExitAsync(Token);
        (status.ExitCode, status.SignalNumber, status.Canceled).Should().Be((137, 9, false));
        status.ToString().Should().Be("signal SIGKILL");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_core_dump_is_told(bool useInit)
    {
        var pattern = (await File.ReadAllTextAsync("/proc/sys/kernel/core_pattern", Token)).Trim();
        Assert.SkipWhen(pattern.Length == 0 || pattern[0] is '|' or '/' or '@',
            $"kernel.core_pattern is '{pattern}': the dump would leave the sandbox.");
        var options = Shell(useInit, "ulimit -c $1 2>/dev/null || echo limited; kill -SEGV $$");
        options.WorkingDirectory = "/tmp";
        options.Arguments.Add("0");
        var without = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
        (without.ExitStatus.ExitCode, without.ExitStatus.SignalNumber, without.ExitStatus.CoreDumped).Should().Be((139, 11, false));
        options.Arguments[^1] = "unlimited";
        var with = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
        Assert.SkipWhen(with.StandardOutput == "limited\n", "RLIMIT_CORE forbids core dumps here.");
        (with.ExitStatus.ExitCode, with.ExitStatus.SignalNumber, with.ExitStatus.CoreDumped).Should().Be((139, 11, true));
        with.ExitStatus.ToString().Should().Be("signal SIGSEGV (core dumped)");
    }

    /// <summary>Not as process 1, for as that it would survive its own signal.</summary>
    private static IsolationOptions Shell(bool useInit, string script)
    {
        var options = Sandbox.ShellIn(useInit ? Namespaces.Default : Namespaces.Default & ~Namespaces.Pid, script);
        options.UseInit = useInit;
        return options;
    }
}
