using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class IpcNamespaceTests
{
    private const string CountQueues = "echo $(($(wc -l < /proc/sysvipc/msg) - 1))";

    [Fact(Timeout = 30_000)]
    public async Task Message_queues_made_inside_are_not_outside()
    {
        Programs.Require("ipcmk");
        string[] kinds = ["msg", "sem", "shm"];
        var before = kinds.Select(static kind => File.ReadAllText("/proc/sysvipc/" + kind)).ToList();
        const string script = """
            ipcmk -Q -p 0600 >/dev/null; ipcmk -S 1 >/dev/null; ipcmk -M 4096 >/dev/null
            echo $(for f in msg sem shm; do wc -l < /proc/sysvipc/$f; done); read -r line
            """;
        var options = Sandbox.Shell(script);
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        await using var process = await IsolatedProcess.StartAsync(options, TestContext.Current.CancellationToken);
        (await process.ReadLine()).Should().Be("2 2 2", "each list has its heading and the one that was made");
        kinds.Select(static kind => File.ReadAllText("/proc/sysvipc/" + kind)).Should().Equal(before);
    }

    [Fact(Timeout = 30_000)]
    public async Task Message_queues_of_another_sandbox_are_not_there()
    {
        Programs.Require("ipcmk");
        (await Sandbox.OutputOf($"ipcmk -Q >/dev/null; {CountQueues}")).Should().Be("1\n");
        (await Sandbox.OutputOf(CountQueues)).Should().Be("0\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_the_namespace_message_queues_are_the_hosts()
    {
        Programs.Require("ipcmk", "ipcrm");
        var id = (await Sandbox.OutputOf(Sandbox.ShellIn(Namespaces.Default & ~Namespaces.Ipc, "ipcmk -Q -p 0600"))).Split(':')[1].Trim();
        try
        {
            File.ReadAllText("/proc/sysvipc/msg").Should().MatchRegex($@"\s{id}\s");
        }
        finally
        {
            using var remove = System.Diagnostics.Process.Start("ipcrm", ["-q", id]);
            await remove.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }
}
