using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class UserNamespaceTests
{
    [Fact(Timeout = 30_000)]
    public async Task A_program_is_root_inside() => (await Sandbox.OutputOf("id -u; id -g; id -ru; id -rg")).Should().Be("0\n0\n0\n0\n");

    [Fact(Timeout = 30_000)]
    public async Task For_root_every_id_has_its_own_number_inside()
    {
        Assert.SkipUnless(Privilege.CanMapEverything, "Mapping every id needs CAP_SETUID and CAP_SETGID.");
        await using var process = await Sandbox.Waiting();
        foreach (var map in (string[])["uid_map", "gid_map"])
        {
            var host = Ranges(File.ReadAllText("/proc/self/" + map));
            Ranges(HostView.Read(process.ProcessId, map)).Should().Equal(host.Select(static range => (range.Inside, range.Inside, range.Count)));
        }

        HostView.StatusField(process.ProcessId, "Uid").Should().Be("0\t0\t0\t0");
        HostView.StatusField(process.ProcessId, "Groups").Should().Be("0", "the program's own is there, and none of the host's");
    }

    [Fact(Timeout = 30_000)]
    public async Task For_an_ordinary_user_root_inside_is_the_user_outside()
    {
        Assert.SkipWhen(Privilege.CanMapEverything, "This user may map every id.");
        await using var process = await Sandbox.Waiting();
        Ranges(HostView.Read(process.ProcessId, "uid_map")).Should().Equal((0, Privilege.UserId, 1));
        Ranges(HostView.Read(process.ProcessId, "gid_map")).Should().Equal((0, Privilege.GroupId, 1));
        HostView.Read(process.ProcessId, "setgroups").Should().Be("deny\n");
        HostView.StatusField(process.ProcessId, "Uid").Should().Be(string.Join('\t', Enumerable.Repeat(Privilege.UserId, 4)));
        HostView.StatusField(process.ProcessId, "Gid").Should().Be(string.Join('\t', Enumerable.Repeat(Privilege.GroupId, 4)));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_can_have_any_id_inside()
    {
        var options = Sandbox.Shell("id -u; id -g; id -ru; id -rg; id -G");
        options.User.UserId = 4321;
        options.User.GroupId = 8765;
        (await Sandbox.OutputOf(options)).Should().StartWith("4321\n8765\n4321\n8765\n8765");
        options.Arguments[1] = ":";
        await using var process = await Sandbox.Waiting(options);
        var expected = Privilege.CanMapEverything ? (4321u, 8765u) : (Privilege.UserId, Privilege.GroupId);
        HostView.StatusField(process.ProcessId, "Uid").Should().Be(string.Join('\t', Enumerable.Repeat(expected.Item1, 4)));
        HostView.StatusField(process.ProcessId, "Gid").Should().Be(string.Join('\t', Enumerable.Repeat(expected.Item2, 4)));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_with_another_id_is_as_isolated()
    {
        var options = Sandbox.Shell("echo $$ /proc/[0-9]*; echo data > /tmp/file && cat /tmp/file; cat /proc/self/status | grep ^CapEff");
        options.User.UserId = options.User.GroupId = 1000;
        (await Sandbox.OutputOf(options)).Should().Be("1 /proc/1\ndata\nCapEff:\t0000000000000000\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Files_belong_to_whom_they_belonged()
    {
        Programs.Require("stat");
        using var folder = new TemporaryFolder();
        var file = folder.File("mine");
        var options = Sandbox.Shell($"stat -c %u:%g /etc/passwd {file}; touch /tmp/new; stat -c %u:%g /tmp/new");
        options.Filesystem.PrivateTmp = false;
        options.Filesystem.Root = Root.Host;
        options.Arguments[1] = options.Arguments[1].Replace("/tmp/new", folder.Path + "/new", StringComparison.Ordinal);
        // What has no number inside shows as the overflow id.
        var overflow = File.ReadAllText("/proc/sys/kernel/overflowuid").Trim() + ":" + File.ReadAllText("/proc/sys/kernel/overflowgid").Trim();
        (await Sandbox.OutputOf(options)).Should().Be(Privilege.CanMapEverything ? "0:0\n0:0\n0:0\n" : $"{overflow}\n0:0\n0:0\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Root_can_become_another_user_without_a_user_namespace()
    {
        Assert.SkipUnless(Privilege.CanMapEverything && Privilege.CanAdminister, "Becoming another user needs CAP_SETUID and CAP_SETGID.");
        var options = Sandbox.Shell("id -u; id -G");
        options.Namespaces &= ~Namespaces.User;
        options.User.UserId = options.User.GroupId = 1000;
        (await Sandbox.OutputOf(options)).Should().Be("1000\n1000\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_a_user_namespace_a_program_runs_as_the_hosts_user()
    {
        var options = Sandbox.Shell("id -u; id -g");
        options.Namespaces = Namespaces.None;
        (await Sandbox.OutputOf(options)).Should().Be($"{Privilege.UserId}\n{Privilege.GroupId}\n");
    }

    [Fact]
    public void The_id_that_stands_for_no_change_is_refused()
    {
        var options = new IsolationOptions("true");
        options.User.UserId = uint.MaxValue;
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>();
    }

    private static List<(uint Inside, uint Outside, uint Count)> Ranges(string map) =>
        [.. map.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(static field => uint.Parse(field, CultureInfo.InvariantCulture)).ToArray())
            .Select(static fields => (fields[0], fields[1], fields[2]))];
}
