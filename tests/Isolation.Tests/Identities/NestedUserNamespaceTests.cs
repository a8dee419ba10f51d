using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Identities;

/// <summary>A sandbox in which nobody can make user namespaces.</summary>
public class NestedUserNamespaceTests
{
    private const string Nested = "unshare -U true";

    public static TheoryData<uint?, bool, bool> Ways => new() { { null, false, false }, { null, true, false }, { 1000, false, false }, { 1000, true, true }, { null, false, true } };

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Ways))]
    public async Task Further_user_namespaces_can_be_forbidden(uint? user, bool useInit, bool keepCapabilities)
    {
        Programs.Require("unshare");
        RequireSetting();
        var options = Options(Nested + " 2>&1; echo $?");
        options.User.UserId = options.User.GroupId = user;
        options.UseInit = useInit;
        options.Security.Capabilities = keepCapabilities ? CapabilitySets.All : CapabilitySets.None;
        options.User.ForbidNestedUserNamespaces = false;
        (await Sandbox.OutputOf(options)).Should().Be("0\n", "where it is not forbidden, it works");
        options.User.ForbidNestedUserNamespaces = true;
        (await Sandbox.OutputOf(options)).Should().Be("unshare: unshare failed: No space left on device\n1\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Not_even_with_every_capability_can_the_limit_be_raised()
    {
        Programs.Require("unshare");
        RequireSetting();
        var options = Options("""
            unshare -U true 2>/dev/null || echo refused
            mount -t tmpfs none /mnt 2>/dev/null || echo refused
            unshare -m sh -c 'mount -o remount,rw /proc; mount -t proc proc /proc; echo 1000 > /proc/sys/user/max_user_namespaces; unshare -U true' 2>/dev/null || echo refused
            """);
        options.Security.Capabilities = CapabilitySets.All;
        (await Sandbox.OutputOf(options)).Should().Be("refused\nrefused\nrefused\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_is_who_it_is_without()
    {
        RequireSetting();
        foreach (var user in (uint?[])[null, 1000])
        {
            var options = Options("id -u; id -g; stat -c %u:%g /etc/passwd /tmp; touch /tmp/f; stat -c %u:%g /tmp/f; grep -E '^(Cap|NoNew)' /proc/self/status; cat /proc/self/uid_map");
            options.User.UserId = options.User.GroupId = user;
            var with = await Sandbox.OutputOf(options);
            options.User.ForbidNestedUserNamespaces = false;
            var without = (await Sandbox.OutputOf(options)).Split('\n');
            with.Split('\n')[..^2].Should().Equal(without[..^2]);
            with.Should().EndWith(Privilege.CanMapEverything ? "4294967295\n" : " 1\n");
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Maps_of_ranges_are_the_same_inside()
    {
        RequireSetting();
        var options = Options("cat /proc/self/uid_map; id -u; id -G");
        if (Privilege.CanMapEverything) (options.User.UserMap, options.User.GroupMap) = ([new(100_000, 0, 10), new(200_000, 20, 5)], [new(100_000, 0, 10)]);
        else (options.User.UserMap, options.User.GroupMap) = Subordinate.Require();
        (options.User.UserId, options.User.GroupId) = (3, 4);
        options.User.SupplementaryGroups.Add(5);
        var text = await Sandbox.OutputOf(options);
        foreach (var range in options.User.UserMap) text.Should().MatchRegex($@"(?m)^ *{range.ShownId} +{range.ShownId} +{range.Count}$");
        text.Should().EndWith("\n3\n4 5\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_second_user_namespace_is_a_child_of_the_first_and_the_first_owns_the_rest()
    {
        RequireSetting();
        await using var process = await Sandbox.Waiting(Options(":"));
        var user = HostView.Namespace(process.ProcessId, "user");
        var own = HostView.Namespace(Environment.ProcessId, "user");
        user.Should().NotBe(own);
        NamespaceOwner.Of(process.ProcessId, "mnt").Should().NotBe(user).And.NotBe(own).And.Be(NamespaceOwner.ParentOf(process.ProcessId));
    }

    private static IsolationOptions Options(string script)
    {
        var options = Sandbox.Shell(script);
        options.Security.Seccomp = null; // which forbids them as well
        options.User.ForbidNestedUserNamespaces = true;
        options.Security.Seccomp = null; // it would refuse them by itself
        return options;
    }

    private static void RequireSetting() =>
        Assert.SkipUnless(File.Exists("/proc/sys/user/max_user_namespaces"), "The kernel cannot limit user namespaces (CONFIG_USER_NS, CONFIG_SYSCTL).");
}
