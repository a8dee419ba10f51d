using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class EachNamespaceTests
{
    public static TheoryData<Namespaces> Each { get; } = [.. HostView.Links.Select(static link => link.Namespace)];

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Each))]
    public async Task Each_namespace_can_be_on_by_itself(Namespaces namespaces) => await HasExactly(Privilege.Possible(namespaces));

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Each))]
    public async Task Each_namespace_can_be_off_by_itself(Namespaces namespaces)
    {
        Assert.SkipUnless(namespaces != Namespaces.User || Privilege.CanAdminister, "Namespaces without a user namespace need CAP_SYS_ADMIN.");
        await HasExactly(Namespaces.All & ~namespaces);
    }

    [Fact(Timeout = 30_000)]
    public async Task All_eight_can_be_on_together() => await HasExactly(Namespaces.All);

    [Fact(Timeout = 30_000)]
    public async Task The_default_is_all_but_time() => await HasExactly(new IsolationOptions("true").Namespaces, Namespaces.All & ~Namespaces.Time);

    [Fact(Timeout = 30_000)]
    public async Task A_program_without_namespaces_is_in_those_of_the_host() => await HasExactly(Namespaces.None);

    [Fact(Timeout = 30_000)]
    public async Task Two_sandboxes_share_no_namespace()
    {
        await using var one = await Sandbox.Waiting(Namespaces.All);
        await using var other = await Sandbox.Waiting(Namespaces.All);
        foreach (var (_, link) in HostView.Links)
            HostView.Namespace(one.ProcessId, link).Should().NotBe(HostView.Namespace(other.ProcessId, link));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_sandbox_leaves_the_namespaces_of_the_host_alone()
    {
        var before = Identities(Environment.ProcessId);
        await Sandbox.OutputOf(Sandbox.ShellIn(Namespaces.All, ":"));
        Identities(Environment.ProcessId).Should().Equal(before);
    }

    private static Task HasExactly(Namespaces namespaces) => HasExactly(namespaces, namespaces);

    private static async Task HasExactly(Namespaces namespaces, Namespaces expected)
    {
        var options = Sandbox.Shell("echo $(for n in mnt uts ipc pid net user cgroup time; do readlink /proc/self/ns/$n; done)");
        options.Namespaces = namespaces;
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        options.Arguments[1] += "; read -r line";
        await using var process = await IsolatedProcess.StartAsync(options, TestContext.Current.CancellationToken);
        var seen = (await process.ReadLine()).Split(' ');
        var host = Identities(Environment.ProcessId);
        var inside = Identities(process.ProcessId);
        seen.Should().Equal(inside, "the program sees itself as the host sees it");
        for (var i = 0; i < HostView.Links.Length; i++)
        {
            var isOwn = expected.HasFlag(HostView.Links[i].Namespace);
            var reason = $"the sandbox {(isOwn ? "has" : "has not")} a {HostView.Links[i].Link} namespace of its own";
            inside[i].Should().Match(identity => identity != host[i] == isOwn, reason);
        }
    }

    private static List<string> Identities(int pid) => [.. HostView.Links.Select(link => HostView.Namespace(pid, link.Link))];
}
