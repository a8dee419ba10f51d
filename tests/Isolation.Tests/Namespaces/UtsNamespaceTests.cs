using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class UtsNamespaceTests
{
    private const string ShowNames = "cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname";

    [Fact(Timeout = 30_000)]
    public async Task Host_and_domain_name_change_inside_only()
    {
        var before = Names();
        var options = Sandbox.Shell(ShowNames);
        options.HostName = "box-1.example";
        options.DomainName = "a domain";
        (await Sandbox.OutputOf(options)).Should().Be("box-1.example\na domain\n");
        Names().Should().Be(before);
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_a_name_inside_the_hosts_is_copied() => (await Sandbox.OutputOf(ShowNames)).Should().Be(Names());

    [Fact(Timeout = 30_000)]
    public async Task A_name_changed_inside_stays_inside()
    {
        Programs.Require("hostname");
        var before = Names();
        var options = Sandbox.Shell("hostname changed && hostname");
        options.Security.Capabilities = CapabilitySets.All;
        (await Sandbox.OutputOf(options)).Should().Be("changed\n");
        Names().Should().Be(before);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(64)]
    [InlineData(1)]
    public async Task A_name_may_have_1_to_64_bytes(int length)
    {
        var options = Sandbox.Shell("uname -n");
        options.HostName = new string('x', length);
        (await Sandbox.OutputOf(options)).Should().Be(options.HostName + "\n");
    }

    [Fact]
    public void A_name_needs_the_namespace()
    {
        var options = new IsolationOptions("true") { HostName = "box", Namespaces = Namespaces.Default & ~Namespaces.Uts };
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>().WithMessage("*Namespaces.Uts*");
    }

    private static string Names() => File.ReadAllText("/proc/sys/kernel/hostname") + File.ReadAllText("/proc/sys/kernel/domainname");
}
