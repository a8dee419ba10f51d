using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class PidNamespaceTests
{
    [Fact(Timeout = 30_000)]
    public async Task A_program_is_process_1_and_sees_only_itself() =>
        (await Sandbox.OutputOf("echo $$ $PPID /proc/[0-9]*")).Should().Be("1 0 /proc/1\n");

    [Fact(Timeout = 30_000)]
    public async Task The_host_sees_the_same_program_under_another_number()
    {
        await using var process = await Sandbox.Waiting();
        process.InnerProcessId.Should().Be(1);
        process.ProcessId.Should().BeGreaterThan(1);
        HostView.StatusField(process.ProcessId, "NSpid").Split('\t').Should().Equal(Number(process.ProcessId), "1");
        HostView.Read(process.ProcessId, "cmdline").Should().StartWith("/bin/sh\0-c\0");
        HostView.StatusField(process.ProcessId, "PPid").Should().Be(Number(Environment.ProcessId), "it is a child of this process");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_in_the_hosts_pid_namespace_has_the_number_that_the_host_sees()
    {
        var options = Sandbox.ShellIn(Namespaces.Default & ~Namespaces.Pid, "echo $$; read -r line");
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        await using var process = await IsolatedProcess.StartAsync(options, TestContext.Current.CancellationToken);
        (await process.ReadLine()).Should().Be(Number(process.ProcessId));
        process.InnerProcessId.Should().Be(process.ProcessId);
        HostView.StatusField(process.ProcessId, "NSpid").Should().Be(Number(process.ProcessId));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_cannot_signal_the_host() =>
        (await Sandbox.OutputOf(Sandbox.Shell($"kill -0 {Environment.ProcessId} 2>/dev/null || echo nobody there"))).Should().Be("nobody there\n");

    [Fact(Timeout = 30_000)]
    public async Task A_program_starts_a_session_without_terminal()
    {
        await using var process = await Sandbox.Waiting();
        var fields = HostView.Read(process.ProcessId, "stat").Split(") ")[1].Split(' ');
        fields[2].Should().Be(Number(process.ProcessId), "it leads its process group");
        fields[3].Should().Be(Number(process.ProcessId), "it leads its session");
        fields[4].Should().Be("0", "it has no controlling terminal");
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
