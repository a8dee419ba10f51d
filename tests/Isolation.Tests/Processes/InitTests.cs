using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class InitTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task A_program_is_process_2_and_its_parent_process_1() =>
        (await Sandbox.OutputOf(WithInit("echo $$ $PPID /proc/[0-9]*"))).Should().Be("2 1 /proc/1 /proc/2\n");

    [Fact(Timeout = 30_000)]
    public async Task The_process_id_is_that_of_init()
    {
        await using var process = await Sandbox.Waiting(WithInit(":"));
        process.InnerProcessId.Should().Be(2);
        HostView.StatusField(process.ProcessId, "NSpid").Should().EndWith("\t1");
        HostView.Descriptors(process.ProcessId).Values
            .Should().NotContain(static target => target.StartsWith("pipe:", StringComparison.Ordinal), "or pipes would never end");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_leads_a_session_and_a_group_that_init_is_not_in() =>
        (await Sandbox.OutputOf(WithInit("read -r pid name state parent group session rest < /proc/$$/stat; echo $group $session"))).Should().Be("2 2\n");

    [Fact(Timeout = 30_000)]
    public async Task Orphans_are_reaped()
    {
        // Builtins only: the list of processes must come down to init, the shell and the subshell that looks.
        const string script = """
            i=0; while [ $i -lt 20 ]; do (true &); i=$((i+1)); done
            while set -- /proc/[0-9]*; [ $# -gt 2 ]; do :; done
            echo $*
            """;
        (await Sandbox.OutputOf(WithInit(script))).Should().Be("/proc/1 /proc/2\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Init_ends_with_the_program_and_takes_the_rest_with_it()
    {
        var options = WithInit("sleep 1000 & (sleep 1000 &)");
        await using var process = await Sandbox.Waiting(options);
        var inside = HostView.Namespace(process.ProcessId, "pid");
        HostView.ProcessesIn(inside).Should().HaveCount(4);
        await process.WriteLine("go");
        (await process.WaitForExitAsync(Token)).ToString().Should().Be("exit code 0");
        HostView.ProcessesIn(inside).Should().BeEmpty();
    }

    [Fact(Timeout = 30_000)]
    public async Task Kill_ends_init_and_program()
    {
        await using var process = await Sandbox.Waiting(WithInit("trap '' TERM INT HUP"));
        var inside = HostView.Namespace(process.ProcessId, "pid");
        process.Kill();
        (await process.WaitForExitAsync(Token)).ToString().Should().Be("signal SIGKILL");
        HostView.ProcessesIn(inside).Should().BeEmpty();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_cannot_reach_into_init()
    {
        var options = WithInit("""
            for f in mem maps environ; do (: < /proc/1/$f) 2>/dev/null && echo could open $f; done
            kill -KILL 1; kill -STOP 1; echo still here
            """);
        (await Sandbox.OutputOf(options)).Should().Be("still here\n");
    }

    [Fact]
    public void Init_needs_a_pid_namespace()
    {
        var options = new IsolationOptions("true") { UseInit = true, Namespaces = Namespaces.Default & ~Namespaces.Pid };
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>().WithMessage("*Namespaces.Pid*");
    }

    private static IsolationOptions WithInit(string script)
    {
        var options = Sandbox.Shell(script);
        options.UseInit = true;
        return options;
    }
}
