using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Joining;

/// <summary>Further programs in a sandbox that runs: <c>process.Start(options)</c>.</summary>
public class EnterTests
{
    private const int Patience = 60_000;

    private static readonly string[] s_links = ["mnt", "uts", "ipc", "pid", "net", "user", "cgroup", "time"];

    [Theory(Timeout = Patience)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_program_that_enters_is_in_all_the_namespaces_of_the_sandbox(bool useInit)
    {
        var options = Sandbox.Shell(":");
        options.UseInit = useInit;
        options.Namespaces = Namespaces.All;
        await using var sandbox = await Sandbox.Waiting(options);

        await using var second = await Waiting(sandbox, Sandbox.Shell(":"));

        foreach (var link in s_links) HostView.Namespace(second.ProcessId, link).Should().Be(HostView.Namespace(sandbox.ProcessId, link));
        HostView.StatusField(second.ProcessId, "NSpid").Should().EndWith($"\t{second.InnerProcessId}");
        second.InnerProcessId.Should().BeGreaterThan(1);
        HostView.StatusField(second.ProcessId, "PPid").Should().Be($"{Environment.ProcessId}", because: "no process stays in between");
    }

    [Fact(Timeout = Patience)]
    public async Task It_sees_the_sandboxs_own_files_and_processes()
    {
        var options = Sandbox.Shell("echo hello > /tmp/file");
        options.HostName = "box";
        await using var sandbox = await Sandbox.Waiting(options);

        var result = await sandbox.RunAndCaptureTextAsync(Sandbox.Shell("cat /tmp/file; uname -n; test -d /proc/1 && tr '\\0' ' ' < /proc/1/cmdline | head -c 11; echo; ls /proc/self/fd | wc -l"),
            cancellationToken: TestContext.Current.CancellationToken);

        result.StandardError.Should().BeEmpty();
        result.StandardOutput.Should().Be("hello\nbox\n/bin/sh -c \n4\n");
    }

    private static async Task<IsolatedProcess> Waiting(IsolatedProcess sandbox, IsolationOptions options)
    {
        options.Arguments[1] += "\necho ready; read -r line";
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        var process = await sandbox.StartAsync(options, cancellationToken: TestContext.Current.CancellationToken);
        (await process.ReadLine()).Should().Be("ready");
        return process;
    }
}
