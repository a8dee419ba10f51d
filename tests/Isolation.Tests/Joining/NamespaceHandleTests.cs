using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Hosts;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Joining;

/// <summary>Namespaces that are kept without a process in them: by handle, and by a file.</summary>
public class NamespaceHandleTests
{
    private const int Patience = 60_000;

    [Fact(Timeout = Patience)]
    public async Task A_handle_knows_what_it_holds()
    {
        await using var sandbox = await Sandbox.Waiting(Namespaces.All);

        foreach (var (kind, link) in HostView.Links)
        {
            using var handle = sandbox.OpenNamespace(kind);
            handle.Kind.Should().Be(kind);
            HostView.Namespace(sandbox.ProcessId, link).Should().Be($"{link}:[{handle.Id.ToString(CultureInfo.InvariantCulture)}]");
            using var same = NamespaceHandle.FromProcess(sandbox.ProcessId, kind);
            same.Id.Should().Be(handle.Id);
            using var opened = NamespaceHandle.Open($"/proc/{sandbox.ProcessId}/ns/{link}");
            opened.Id.Should().Be(handle.Id);
            opened.Kind.Should().Be(kind);
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_namespace_lives_as_long_as_a_handle_to_it()
    {
        var options = Sandbox.Shell(":");
        options.HostName = "kept";
        var sandbox = await Sandbox.Waiting(options);
        using var user = sandbox.OpenNamespace(Namespaces.User);
        using var uts = sandbox.OpenNamespace(Namespaces.Uts);
        using var network = sandbox.OpenNamespace(Namespaces.Network);
        var id = sandbox.ProcessId;
        await sandbox.DisposeAsync();
        HostView.Exists(id).Should().BeFalse();

        var later = Sandbox.Shell("uname -n");
        later.Join = NamespaceSource.FromHandles(network, uts, user);
        (await Sandbox.OutputOf(later)).Should().Be("kept\n");
        await using var process = await Sandbox.Waiting(later.With(":"));
        HostView.Namespace(process.ProcessId, "net").Should().Be($"net:[{network.Id.ToString(CultureInfo.InvariantCulture)}]");
        HostView.Namespace(process.ProcessId, "user").Should().Be($"user:[{user.Id.ToString(CultureInfo.InvariantCulture)}]");
    }

    [Fact(Timeout = Patience)]
    public async Task A_namespace_bound_to_a_file_is_found_by_another_app()
    {
        Assert.SkipUnless(Privilege.CanAdminister, "Binding to a file takes CAP_SYS_ADMIN.");
        using var folder = new TemporaryFolder("bound-");
        var (network, user, uts) = (folder.Path + "/net", folder.Path + "/user", folder.Path + "/uts");
        var options = Sandbox.Shell(":");
        options.HostName = "kept";
        await using (var sandbox = await Sandbox.Waiting(options))
        {
            foreach (var (kind, path) in ((Namespaces, string)[])[(Namespaces.Network, network), (Namespaces.User, user), (Namespaces.Uts, uts)])
            {
                using var handle = sandbox.OpenNamespace(kind);
                handle.BindTo(path);
            }
        }

        try
        {
            var output = await HostApp.RunAsync(TestContext.Current.CancellationToken, "join-files", user, network, uts);
            output.Should().Be("kept\n");
        }
        finally
        {
            foreach (var path in (string[])[network, user, uts]) NamespaceHandle.Unbind(path);
        }

        File.Exists(network).Should().BeFalse();
    }

    [Fact(Timeout = Patience)]
    public async Task A_network_of_ip_netns_can_be_joined()
    {
        Assert.SkipUnless(Privilege.CanAdminister, "ip netns needs root.");
        Programs.Require("ip");
        var name = $"isolation-test-{Environment.ProcessId}";
        await RunIp("netns", "add", name);
        try
        {
            using var network = NamespaceHandle.Open("/run/netns/" + name);
            network.Kind.Should().Be(Namespaces.Network);
            var options = Sandbox.Shell("grep -c : /proc/net/dev");
            options.Join = NamespaceSource.FromHandles(network);
            await using var process = await Sandbox.Waiting(options.With(":"));

            HostView.Namespace(process.ProcessId, "net").Should().Be($"net:[{network.Id.ToString(CultureInfo.InvariantCulture)}]");
            HostView.Namespace(process.ProcessId, "user").Should().NotBe(HostView.Namespace(Environment.ProcessId, "user"), because: "all else is made anew, as by default");
        }
        finally
        {
            await RunIp("netns", "delete", name);
        }

        static async Task RunIp(params string[] arguments)
        {
            using var process = System.Diagnostics.Process.Start(Programs.Find("ip")!, arguments);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            process.ExitCode.Should().Be(0);
        }
    }

    [Fact]
    public void What_is_no_namespace_is_an_error_that_says_so()
    {
        var file = () => NamespaceHandle.Open("/etc/passwd");
        file.Should().Throw<IsolationException>().Which.Hint.Should().Contain("no namespace");
        var missing = () => NamespaceHandle.Open("/no/such/file");
        missing.Should().Throw<IsolationException>().Which.Errno.Should().Be(2);
        var two = () => NamespaceHandle.FromProcess(Environment.ProcessId, Namespaces.Network | Namespaces.Uts);
        two.Should().Throw<ArgumentException>();
        using var network = NamespaceHandle.FromProcess(Environment.ProcessId, Namespaces.Network);
        using var again = NamespaceHandle.FromProcess(Environment.ProcessId, Namespaces.Network);
        var twice = () => NamespaceSource.FromHandles(network, again);
        twice.Should().Throw<ArgumentException>();
    }

    [Fact]
    public void An_ordinary_user_is_told_why_a_namespace_cannot_be_bound_to_a_file()
    {
        Assert.SkipWhen(Privilege.CanAdminister, "It is about users without CAP_SYS_ADMIN; root has it.");
        using var folder = new TemporaryFolder("bound-");
        using var network = NamespaceHandle.FromProcess(Environment.ProcessId, Namespaces.Network);

        var bind = () => network.BindTo(folder.Path + "/net");

        bind.Should().Throw<IsolationException>().Which.Hint.Should().Contain("CAP_SYS_ADMIN");
        File.Exists(folder.Path + "/net").Should().BeFalse(because: "nothing is left behind");
    }
}
