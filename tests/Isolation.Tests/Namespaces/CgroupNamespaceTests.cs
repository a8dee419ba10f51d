using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class CgroupNamespaceTests
{
    [Fact(Timeout = 30_000)]
    public async Task A_program_sees_its_control_group_as_the_root()
    {
        var lines = (await Sandbox.OutputOf("cat /proc/self/cgroup")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Should().NotBeEmpty().And.OnlyContain(static line => line.EndsWith(":/", StringComparison.Ordinal));
    }

    [Fact(Timeout = 30_000)]
    public async Task For_the_host_it_stays_where_the_host_is()
    {
        await using var process = await Sandbox.Waiting();
        HostView.Read(process.ProcessId, "cgroup").Should().Be(HostView.Read(Environment.ProcessId, "cgroup"));
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_the_namespace_it_sees_what_the_host_sees() =>
        (await Sandbox.OutputOf(Sandbox.ShellIn(Namespaces.Default & ~Namespaces.Cgroup, "cat /proc/self/cgroup")))
            .Should().Be(File.ReadAllText("/proc/self/cgroup"));
}
