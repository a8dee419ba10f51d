using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Identities;

/// <summary>Which ids exist inside, and whose they are.</summary>
public class IdMapTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task Root_can_map_ranges_as_it_likes()
    {
        Assert.SkipUnless(Privilege.CanMapEverything && Privilege.CanAdminister, "Mapping any id needs root.");
        var options = Sandbox.Shell("id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map; echo new > /tmp/f && chown 5:6 /tmp/f && ls -ln /tmp/f");
        options.User.UserMap = [new IdMapping(100_000, 0, 1000), new IdMapping(300_000, 1000, 24)];
        options.User.GroupMap = [new IdMapping(200_000, 0, 65_536)];
        options.Security.Capabilities = CapabilitySets.All;
        options.Arguments[1] += " | cut -d' ' -f3,4";
        Fields(await Sandbox.OutputOf(options)).Should().Be("0, 0, 0 100000 1000, 1000 300000 24, 0 200000 65536, 5 6");
        await using var process = await Sandbox.Waiting(options.With(":"));
        HostView.StatusField(process.ProcessId, "Uid").Should().Be("100000\t100000\t100000\t100000");
        HostView.StatusField(process.ProcessId, "Gid").Should().Be("200000\t200000\t200000\t200000");
        HostView.StatusField(process.ProcessId, "Groups").Should().Be("200000");
        Fields(HostView.Read(process.ProcessId, "uid_map")).Should().Be("0 100000 1000, 1000 300000 24");
        Fields(HostView.Read(process.ProcessId, "gid_map")).Should().Be("0 200000 65536");
    }

    [Fact(Timeout = 30_000)]
    public async Task Every_kind_of_tree_can_be_had_by_mapped_ids()
    {
        Assert.SkipUnless(Privilege.CanMapEverything && Privilege.CanAdminister, "Mapping any id needs root.");
        const string script = "id -u; echo x > /tmp/f && stat -c %u:%g /tmp/f /dev/shm; echo y > /dev/null; stat -c %u /";
        foreach (var (root, owner) in ((Root, string)[])[(Root.HostReadOnly, "65534"), (Root.Host, "65534")])
        {
            var options = Sandbox.Shell(script);
            options.Filesystem.Root = root;
            (options.User.UserMap, options.User.GroupMap) = ([new(100_000, 0, 10)], [new(100_000, 0, 10)]);
            options.User.UserId = options.User.GroupId = 7;
            (await Sandbox.OutputOf(options)).Should().Be($"7\n7:7\n0:0\n{owner}\n");
        }

        var empty = Trees.EmptyShell(true, script.Replace("id -u", "busybox id -u", StringComparison.Ordinal));
        (empty.User.UserMap, empty.User.GroupMap) = ([new(100_000, 0, 10)], [new(100_000, 0, 10)]);
        empty.Filesystem.Mounts.Add(new FileMount("/etc/mine", "x") { UserId = 3, GroupId = 4 });
        empty.Arguments[1] += "; stat -c %u:%g /etc/mine";
        (await Sandbox.OutputOf(empty)).Should().Be("0\n0:0\n0:0\n0\n3:4\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_map_without_0_is_enough_for_who_is_somebody_else()
    {
        Assert.SkipUnless(Privilege.CanMapEverything && Privilege.CanAdminister, "Mapping any id needs root.");
        var options = Sandbox.Shell("id -u; id -g; touch /tmp/f; stat -c %u:%g /tmp/f");
        (options.User.UserMap, options.User.GroupMap) = ([new(100_000, 500, 3)], [new(100_000, 600, 3)]);
        (options.User.UserId, options.User.GroupId) = (502, 601);
        (await Sandbox.OutputOf(options)).Should().Be("502\n601\n502:601\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task An_ordinary_user_can_map_their_own_id_alone()
    {
        Assert.SkipWhen(Privilege.CanMapEverything, "This user may map every id.");
        var options = Sandbox.Shell("id -u; id -g");
        (options.User.UserMap, options.User.GroupMap) = ([new(Privilege.UserId, 77)], [new(Privilege.GroupId, 78)]);
        (options.User.UserId, options.User.GroupId) = (77, 78);
        options.Explain().Should().NotContain("newuidmap");
        (await Sandbox.OutputOf(options)).Should().Be("77\n78\n");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_ordinary_user_can_map_subordinate_ids(bool useInit)
    {
        var (users, groups) = Subordinate.Require();
        var options = Sandbox.Shell("id -u; id -g; id -G; touch /tmp/f && chown 5:6 /tmp/f && stat -c %u:%g /tmp/f; cat /proc/self/setgroups");
        options.UseInit = useInit;
        options.User.MapSubordinateIds();
        options.Security.Capabilities = CapabilitySets.All;
        (await Sandbox.OutputOf(options)).Should().Be("0\n0\n0\n5:6\nallow\n");
        await using var process = await Sandbox.Waiting(options.With(":"));
        HostView.StatusField(process.ProcessId, "Uid").Should().StartWith($"{Privilege.UserId}\t");
        Fields(HostView.Read(process.ProcessId, "uid_map")).Should().Be(Lines(users));
        Fields(HostView.Read(process.ProcessId, "gid_map")).Should().Be(Lines(groups));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_can_be_a_subordinate_user()
    {
        var (users, groups) = Subordinate.Require();
        using var folder = new TemporaryFolder();
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0x1ff);
        var options = Sandbox.Shell("id -u; id -g; id -G; echo mine > /d/file; stat -c %u:%g /d/file /d");
        options.Filesystem.Root = Root.HostReadOnly;
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/mnt") { Writable = true });
        options.Arguments[1] = options.Arguments[1].Replace("/d", "/mnt", StringComparison.Ordinal);
        options.User.MapSubordinateIds();
        (options.User.UserId, options.User.GroupId) = (33, 34);
        options.User.SupplementaryGroups.Add(4);
        (await Sandbox.OutputOf(options)).Should().Be("33\n34\n34 4\n33:34\n0:0\n");
        Owner(folder.Path + "/file").Should().Be($"{users[1].HostId + 32}:{groups[1].HostId + 33}");
        await IsolatedProcess.RunAsync(Remover(options), Token);
        File.Exists(folder.Path + "/file").Should().BeFalse("whoever has the same map may remove it");
    }

    [Fact(Timeout = 30_000)]
    public async Task Ids_that_are_not_granted_are_refused_with_what_newuidmap_says()
    {
        Subordinate.Require();
        var options = Sandbox.Shell(":");
        options.User.UserMap = [new(Privilege.UserId, 0), new(5, 1, 10)];
        var error = (await FluentActions.Awaiting(() => IsolatedProcess.RunAsync(options, Token)).Should().ThrowAsync<IsolationException>()).Which;
        error.Step.Should().Be("map the user ids");
        error.Syscall.Should().Be("newuidmap");
        error.Hint.Should().Contain("[1-11) -> [5-15) not allowed").And.Contain("/etc/subuid does not grant");
    }

    [Fact(Timeout = 30_000)]
    public void Who_has_no_subordinate_ids_is_told_so()
    {
        Assert.SkipUnless(File.Exists("/etc/subuid"), "There is no /etc/subuid here.");
        Assert.SkipWhen(File.ReadAllText("/etc/subuid").Split('\n').Any(static line => line.StartsWith(Environment.UserName + ":", StringComparison.Ordinal)), "This user has.");
        FluentActions.Invoking(SubordinateIds.UserMap).Should().Throw<IsolationException>().Which.Hint.Should().MatchRegex("usermod --add-subuids|not in /etc/passwd");
    }

    [Fact]
    public void Subordinate_ids_are_found_by_name_and_number_on_several_lines()
    {
        string[] lines =
        [
            "me:100000:1000", "other:1:5", "1234:300000:24", "# me:7:7", "me:100500:10", "me:4294967290:6", "me:-5:3", "me:5", "me:x:1", "me:9:0", "me:1200:100",
            " me:4294967200:95 ", "12345:1:1", "me:500000:4294967295",
        ];
        Launching.SubordinateIdFile.Map(lines, "me", 1234, own: 1234).Should().Equal(
            new IdMapping(1234, 0), new IdMapping(100_000, 1, 1000), new IdMapping(300_000, 1001, 24), new IdMapping(4_294_967_200, 1025, 95));
    }

    [Fact]
    public void Maps_that_the_kernel_would_refuse_are_found_before()
    {
        (Action<UserOptions>, string)[] cases =
        [
            (user => user.UserMap = [], "*empty UserMap*"),
            (user => user.UserMap = [new(1, 0, 0)], "*without ids*"),
            (user => user.UserMap = [null!], "*null*"),
            (user => user.GroupMap = [new(uint.MaxValue, 0)], "*4294967294*"),
            (user => user.GroupMap = [new(0, 1, uint.MaxValue)], "*4294967294*"),
            (user => user.UserMap = [new(0, 0, 10), new(5, 20, 10)], "*overlap*"),
            (user => user.UserMap = [new(0, 0, 10), new(50, 9)], "*overlap*"),
            (user => user.UserMap = [.. Enumerable.Range(0, 341).Select(static n => new IdMapping((uint)n, (uint)n))], "*341*340*"),
            (user => user.UserMap = [new(0, 1, 10)], "*without 0*UserId*"),
            (user => (user.UserMap, user.UserId) = ([new(0, 0, 10)], 10), "*UserId 10*"),
            (user => (user.GroupMap, user.GroupId) = ([new(0, 0, 10)], 10), "*GroupId 10*"),
            (user => { user.GroupMap = [new(0, 0, 10)]; user.SupplementaryGroups.Add(10); }, "*supplementary group 10*"),
            (user => user.SupplementaryGroups.Add(uint.MaxValue), "*4294967295*"),
            (user => user.UserId = uint.MaxValue, "*4294967295*"),
            (user => user.UserMap = [.. Enumerable.Range(0, 340).Select(static n => new IdMapping((uint)n * 1_000_000, (uint)n * 1_000_000))], "*characters*"),
        ];
        foreach (var (change, problem) in cases)
        {
            var options = new IsolationOptions("true");
            change(options.User);
            FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>().WithMessage(problem).Which.ParamName.Should().Be("User");
        }

        var without = new IsolationOptions("true") { Namespaces = Namespaces.None };
        without.User.UserMap = [new(0, 0)];
        FluentActions.Invoking(() => IsolatedProcess.Run(without)).Should().Throw<ArgumentException>().WithMessage("*Namespaces.User*");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_can_be_in_further_groups()
    {
        Assert.SkipUnless(Privilege.CanMapEverything && Privilege.CanAdminister, "Other groups need root, or subordinate ids.");
        foreach (var userNamespace in (bool[])[true, false])
        {
            var options = Sandbox.Shell("id -G");
            if (!userNamespace) options.Namespaces &= ~Namespaces.User;
            (options.User.UserId, options.User.GroupId) = (1000, 1001);
            foreach (var group in (uint[])[7, 4_294_967_294]) options.User.SupplementaryGroups.Add(group);
            (await Sandbox.OutputOf(options)).Should().Be("1001 7 4294967294\n");
            await using var process = await Sandbox.Waiting(options.With(":"));
            HostView.StatusField(process.ProcessId, "Groups").Split(' ').Should().BeEquivalentTo("7", "1001", "4294967294");
        }
    }

    [Fact]
    public void An_ordinary_user_without_a_map_cannot_ask_for_further_groups()
    {
        Assert.SkipWhen(Privilege.CanMapEverything, "This user may change groups.");
        var options = new IsolationOptions("true");
        options.User.SupplementaryGroups.Add(5);
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>().WithMessage("*MapSubordinateIds*");
        options.Namespaces = Namespaces.None;
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>().WithMessage("*CAP_SETGID*");
    }

    private static IsolationOptions Remover(IsolationOptions options)
    {
        (options.User.UserId, options.User.GroupId) = (33, 34);
        return options.With("rm /mnt/file");
    }

    private static string Owner(string path)
    {
        using var stat = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%u:%g", path]) { RedirectStandardOutput = true })!;
        return stat.StandardOutput.ReadToEnd().Trim();
    }

    /// <summary>Lines as one, with single blanks.</summary>
    private static string Fields(string text) =>
        string.Join(", ", text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));

    private static string Lines(IEnumerable<IdMapping> map) =>
        string.Join(", ", map.Select(static range => string.Create(CultureInfo.InvariantCulture, $"{range.ShownId} {range.HostId} {range.Count}")));
}
