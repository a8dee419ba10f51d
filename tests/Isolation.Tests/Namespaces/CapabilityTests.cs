using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class CapabilityTests
{
    private static readonly string[] s_sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

    [Theory(Timeout = 30_000)]
    [InlineData(Namespaces.All)]
    [InlineData(Namespaces.User)]
    [InlineData(Namespaces.Default & ~Namespaces.User)]
    [InlineData(Namespaces.None)]
    public async Task A_program_has_no_capability_and_cannot_gain_any(Namespaces namespaces)
    {
        await using var process = await Sandbox.Waiting(namespaces == Namespaces.None ? namespaces : Privilege.Possible(namespaces));
        foreach (var set in s_sets)
        {
            // Without a user namespace an ordinary user may not touch the bounding set; no_new_privs stands in for it.
            if (set == "CapBnd" && namespaces == Namespaces.None && !Privilege.CanAdminister) continue;
            HostView.StatusField(process.ProcessId, set).Should().Be("0000000000000000", "{0} is empty", set);
        }

        HostView.StatusField(process.ProcessId, "NoNewPrivs").Should().Be("1");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(null)]
    [InlineData(1000u)]
    public async Task Neither_does_a_program_that_it_starts(uint? user)
    {
        var options = Sandbox.Shell("sh -c 'grep -E ^Cap /proc/self/status; grep NoNewPrivs /proc/self/status'");
        options.User.UserId = user;
        (await Sandbox.OutputOf(options))
            .Should().Be(string.Concat(s_sets.Select(static set => $"{set}:\t0000000000000000\n")) + "NoNewPrivs:\t1\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Capabilities_can_be_kept()
    {
        var options = Sandbox.Shell(":");
        options.Security.Capabilities = CapabilitySets.All;
        await using var process = await Sandbox.Waiting(options);
        var effective = Convert.ToUInt64(HostView.StatusField(process.ProcessId, "CapEff"), 16);
        (effective & 1 << 21).Should().NotBe(0, "CAP_SYS_ADMIN over its own namespaces is among them");
        HostView.StatusField(process.ProcessId, "NoNewPrivs").Should().Be("1");
    }

    [Fact(Timeout = 30_000)]
    public async Task Capabilities_kept_are_worth_nothing_outside()
    {
        Programs.Require("mount");
        var options = Sandbox.Shell("""
            mount -o remount,rw / 2>/dev/null || echo refused
            (echo 1 > /proc/sys/kernel/sysrq) 2>/dev/null || echo refused
            """);
        (options.Security.Capabilities, options.Security.Seccomp) = (CapabilitySets.All, null);
        (await Sandbox.OutputOf(options)).Should().Be("refused\nrefused\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task New_privileges_can_be_allowed()
    {
        var options = Sandbox.Shell("grep NoNewPrivs /proc/self/status");
        options.Security.NoNewPrivileges = false;
        (await Sandbox.OutputOf(options)).Should().Be("NoNewPrivs:\t0\n");
    }
}
