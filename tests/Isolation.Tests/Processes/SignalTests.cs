using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class SignalTests
{
    /// <summary>
    /// Short sleeps, as a shell runs a trap between two commands: one that gets its signal right before it reads would run it
    /// only when the read is over.
    /// </summary>
    private const string TrapAndWait =
        "trap 'echo got; exit 7' USR1; trap 'echo term; exit 8' TERM; trap 'echo stop; exit 9' TSTP; trap 'echo last; exit 11' 64; " +
        "echo ready; while :; do sleep 0.05; done";

    private const PosixSignal Stop = (PosixSignal)19; // SIGSTOP

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_signal_reaches_a_programs_handler(bool useInit)
    {
        (PosixSignal, string, int)[] signals =
        [
            ((PosixSignal)10, "got", 7), (PosixSignal.SIGTERM, "term", 8), ((PosixSignal)15, "term", 8),
            (PosixSignal.SIGTSTP, "stop", 9), ((PosixSignal)64, "last", 11),
        ];
        foreach (var (signal, expected, code) in signals)
        {
            var options = Sandbox.Shell(TrapAndWait);
            options.UseInit = useInit;
            options.StandardOutput = StandardStream.Pipe;
            await using var process = await IsolatedProcess.StartAsync(options, Token);
            (await process.ReadLine()).Should().Be("ready");
            process.Signal(signal).Should().BeTrue();
            (await process.ReadLine()).Should().Be(expected);
            (await process.WaitForExitAsync(Token)).ToString().Should().Be("exit code " + code);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Under_init_a_signal_without_handler_ends_the_program()
    {
        var options = Sandbox.Shell(":");
        options.UseInit = true;
        await using var process = await Sandbox.Waiting(options);
        process.Signal(PosixSignal.SIGTERM).Should().BeTrue();
        var status = await process.WaitForExitAsync(Token);
        (status.ExitCode, status.Signal).Should().Be((143, PosixSignal.SIGTERM));
    }

    [Fact(Timeout = 30_000)]
    public async Task As_process_1_a_program_without_handler_does_not_notice()
    {
        await using var process = await Sandbox.Waiting();
        process.Signal(PosixSignal.SIGTERM).Should().BeTrue();
        await process.WriteLine("go");
        (await process.WaitForExitAsync(Token)).ToString().Should().Be("exit code 0");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_a_pid_namespace_signals_have_their_usual_effect(bool withNamespaces)
    {
        await using var process = await Sandbox.Waiting(withNamespaces ? Namespaces.Default & ~Namespaces.Pid : Namespaces.User);
        process.Signal(PosixSignal.SIGINT).Should().BeTrue();
        (await process.WaitForExitAsync(Token)).Signal.Should().Be(PosixSignal.SIGINT);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_program_can_be_stopped_and_continued(bool useInit)
    {
        var options = Sandbox.Shell(":");
        options.UseInit = useInit;
        await using var process = await Sandbox.Waiting(options);
        var program = HostView.ProcessesIn(HostView.Namespace(process.ProcessId, "pid")).Single(pid => !useInit || pid != process.ProcessId);
        process.Signal(Stop).Should().BeTrue();
        await HostView.Until(() => HostView.StatusField(program, "State").StartsWith('T'), "the program is stopped");
        if (useInit) HostView.StatusField(process.ProcessId, "State").Should().NotStartWith("T", "the init goes on");
        process.Signal(PosixSignal.SIGCONT).Should().BeTrue();
        await HostView.Until(() => HostView.StatusField(program, "State").StartsWith('S'), "the program goes on");
        await process.WriteLine("go");
        (await process.WaitForExitAsync(Token)).ToString().Should().Be("exit code 0");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_program_goes_on_when_that_is_the_last_it_was_told(bool useInit)
    {
        var options = Sandbox.Shell(":");
        options.UseInit = useInit;
        await using var process = await Sandbox.Waiting(options);
        for (var i = 0; i < 100; i++)
        {
            process.Signal(Stop).Should().BeTrue();
            process.Signal(PosixSignal.SIGCONT).Should().BeTrue();
        }

        await process.WriteLine("go");
        (await process.WaitForExitAsync(Token)).ToString().Should().Be("exit code 0");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_terminals_way_to_stop_a_program_has_no_effect_without_a_handler(bool useInit)
    {
        var options = Sandbox.Shell(":");
        options.UseInit = useInit;
        await using var process = await Sandbox.Waiting(options);
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGTSTP, PosixSignal.SIGTTIN, PosixSignal.SIGTTOU]) process.Signal(signal).Should().BeTrue();
        await process.WriteLine("go");
        (await process.WaitForExitAsync(Token)).ToString().Should().Be("exit code 0");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_that_has_ended_gets_no_signal()
    {
        await using var process = await IsolatedProcess.StartAsync(new IsolationOptions("true"), Token);
        await process.WaitForExitAsync(Token);
        process.Signal(PosixSignal.SIGTERM).Should().BeFalse();
        process.Kill();
        process.ExitStatus.ToString().Should().Be("exit code 0");
    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_no_signal_is_refused()
    {
        await using var process = await Sandbox.Waiting();
        foreach (var number in (int[])[0, 65, -11, 1000])
            FluentActions.Invoking(() => process.Signal((PosixSignal)number)).Should().Throw<ArgumentOutOfRangeException>();
        process.HasExited.Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_starts_with_no_signal_blocked_or_ignored()
    {
        // .NET ignores SIGPIPE, and ignoring survives exec.
        await using var process = await IsolatedProcess.StartAsync(new IsolationOptions("cat") { StandardInput = StandardStream.Pipe }, Token);
        HostView.StatusField(process.ProcessId, "SigBlk").Should().Be("0000000000000000");
        HostView.StatusField(process.ProcessId, "SigIgn").Should().Be("0000000000000000");
    }
}
