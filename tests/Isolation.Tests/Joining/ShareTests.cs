using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Joining;

/// <summary>Sandboxes that share some namespaces and have others for themselves.</summary>
public class ShareTests
{
    private const int Patience = 60_000;
    private const Namespaces Pod = Namespaces.Network | Namespaces.Ipc | Namespaces.Uts;

    [Fact(Timeout = Patience)]
    public async Task Members_of_a_pod_share_network_ipc_and_host_name_and_have_files_and_processes_of_their_own()
    {
        await using var holder = await Holder();
        await using var one = await Sandbox.Waiting(Member(holder, Pod, "echo one > /tmp/file"));
        await using var two = await Sandbox.Waiting(Member(holder, Pod, "echo two > /tmp/file"));

        foreach (var link in (string[])["net", "ipc", "uts", "user"])
        {
            HostView.Namespace(one.ProcessId, link).Should().Be(HostView.Namespace(holder.ProcessId, link));
            HostView.Namespace(two.ProcessId, link).Should().Be(HostView.Namespace(holder.ProcessId, link));
        }

        foreach (var link in (string[])["mnt", "pid", "cgroup"])
            new[] { holder, one, two }.Select(process => HostView.Namespace(process.ProcessId, link)).Should().OnlyHaveUniqueItems();
        one.InnerProcessId.Should().Be(1);
        one.RunAndCaptureText(Sandbox.Shell("uname -n; cat /tmp/file")).StandardOutput.Should().Be("pod\none\n");
        two.RunAndCaptureText(Sandbox.Shell("uname -n; cat /tmp/file")).StandardOutput.Should().Be("pod\ntwo\n");
    }

    [Fact(Timeout = Patience)]
    public async Task Members_find_each_others_message_queues_and_the_host_does_not()
    {
        Programs.Require("ipcmk");
        await using var holder = await Holder();
        var made = await IsolatedProcess.RunAndCaptureTextAsync(Member(holder, Pod, "ipcmk -Q > /dev/null; tail -n +2 /proc/sysvipc/msg"), TestContext.Current.CancellationToken);
        made.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().ContainSingle("a new namespace has no queues but this one");

        var found = await IsolatedProcess.RunAndCaptureTextAsync(Member(holder, Pod, "tail -n +2 /proc/sysvipc/msg"), TestContext.Current.CancellationToken);
        var alone = await IsolatedProcess.RunAndCaptureTextAsync(Member(holder, Pod & ~Namespaces.Ipc, "tail -n +2 /proc/sysvipc/msg"), TestContext.Current.CancellationToken);

        found.StandardOutput.Should().Be(made.StandardOutput);
        alone.StandardOutput.Should().BeEmpty();
        var key = made.StandardOutput.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        File.ReadLines("/proc/sysvipc/msg").Should().NotContain(line => line.TrimStart().StartsWith(key + " ", StringComparison.Ordinal));
    }

    [Fact(Timeout = Patience)]
    public async Task Members_reach_each_other_on_the_loopback()
    {
        Programs.Require("busybox");
        await using var holder = await Holder();
        var options = Member(holder, Pod, "");
        options.Arguments[1] = "exec busybox nc -l -p 7070 -e /bin/echo hello";
        await using var server = await IsolatedProcess.StartAsync(options, TestContext.Current.CancellationToken);

        // It listens some time after its start.
        var client = Member(holder, Pod, "");
        client.Arguments[1] = "until answer=$(busybox nc 127.0.0.1 7070 2> /dev/null) && [ -n \"$answer\" ]; do :; done; echo $answer";
        var result = await IsolatedProcess.RunAndCaptureTextAsync(client, TestContext.Current.CancellationToken);

        result.StandardOutput.Should().Be("hello\n");
    }

    [Fact(Timeout = Patience)]
    public async Task With_a_shared_pid_namespace_they_see_each_others_processes_and_end_together()
    {
        var holder = await Holder();
        await using var one = await Sandbox.Waiting(Member(holder, Pod | Namespaces.Pid, ":"));
        await using var two = await Sandbox.Waiting(Member(holder, Pod | Namespaces.Pid, ":"));

        HostView.Namespace(one.ProcessId, "mnt").Should().NotBe(HostView.Namespace(two.ProcessId, "mnt"));
        // The procfs of each is mounted from within the shared namespace.
        var seen = one.RunAndCaptureText(Sandbox.Shell($"test -d /proc/1 && test -d /proc/{two.InnerProcessId} && tr '\\0' ' ' < /proc/{two.InnerProcessId}/cmdline | head -c 10"));
        seen.StandardOutput.Should().Be("/bin/sh -c");

        await holder.DisposeAsync();

        (await one.WaitForExitAsync(TestContext.Current.CancellationToken)).ToString().Should().Be("signal SIGKILL");
        (await two.WaitForExitAsync(TestContext.Current.CancellationToken)).ToString().Should().Be("signal SIGKILL");
    }

    [Fact(Timeout = Patience)]
    public async Task What_is_shared_outlives_the_one_it_came_from_and_the_members_go_on()
    {
        var holder = await Holder();
        await using var one = await Sandbox.Waiting(Member(holder, Pod, ":"));
        var network = HostView.Namespace(one.ProcessId, "net");

        await holder.DisposeAsync();

        one.HasExited.Should().BeFalse();
        await using var two = await Sandbox.Waiting(Member(one, Pod, ":"));
        HostView.Namespace(two.ProcessId, "net").Should().Be(network);
    }

    [Fact(Timeout = Patience)]
    public async Task The_own_rules_of_a_member_hold_and_not_those_of_whom_it_shares_with()
    {
        var options = Sandbox.Shell(":");
        options.Umask = 63;
        options.Security.Capabilities = CapabilitySets.Of(Capabilities.Kill);
        await using var holder = await Sandbox.Waiting(options);

        var result = await IsolatedProcess.RunAndCaptureTextAsync(Member(holder, Pod, "umask; grep CapBnd /proc/self/status"), TestContext.Current.CancellationToken);

        result.StandardOutput.Should().Be("0022\nCapBnd:\t0000000000000000\n");
    }

    [Fact(Timeout = Patience)]
    public async Task A_program_of_the_host_looks_at_the_network_of_a_sandbox()
    {
        await using var sandbox = await Sandbox.Waiting();

        var options = Sandbox.Shell("grep -c : /proc/net/dev; test -e /proc/2 || echo alone");
        var result = await sandbox.RunAndCaptureTextAsync(options, Namespaces.Network, TestContext.Current.CancellationToken);

        result.StandardError.Should().BeEmpty();
        result.StandardOutput.Should().StartWith("1\n", because: "the loopback is all it has");
    }

    [Fact(Timeout = Patience)]
    public async Task Any_process_can_be_joined_by_its_number()
    {
        Programs.Require("unshare");
        // Not a sandbox of ours: another tool's. It says so once it is in its namespaces.
        using var other = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("unshare",
            ["--user", "--map-root-user", "--net", "--uts", "--mount", "sh", "-c", "echo $$; exec sleep 1000"]) { RedirectStandardOutput = true })!;
        try
        {
            (await other.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).Should().Be(other.Id.ToString(CultureInfo.InvariantCulture));
            var options = Sandbox.Shell(":");
            options.Join = NamespaceSource.FromProcess(other.Id);
            await using var process = await Sandbox.Waiting(options);

            foreach (var link in (string[])["net", "uts", "mnt", "user"]) HostView.Namespace(process.ProcessId, link).Should().Be(HostView.Namespace(other.Id, link));
            foreach (var link in (string[])["ipc", "pid"]) HostView.Namespace(process.ProcessId, link).Should().Be(HostView.Namespace(Environment.ProcessId, link));
            HostView.StatusField(process.ProcessId, "CapEff").Should().Be("0000000000000000");
            HostView.StatusField(process.ProcessId, "Uid").Should().StartWith(Privilege.UserId.ToString(CultureInfo.InvariantCulture));
        }
        finally
        {
            other.Kill();
        }
    }

    [Fact(Timeout = Patience)]
    public async Task Root_shares_a_network_with_a_program_that_has_a_user_namespace_of_its_own()
    {
        Assert.SkipUnless(Privilege.CanAdminister, "Without a user namespace only root makes these namespaces.");
        await using var holder = await Sandbox.Waiting(Sandbox.ShellIn(Namespaces.Network, ":"));

        await using var member = await Sandbox.Waiting(Member(holder, Namespaces.Network, ":"));

        HostView.Namespace(member.ProcessId, "net").Should().Be(HostView.Namespace(holder.ProcessId, "net"));
        HostView.Namespace(member.ProcessId, "user").Should().NotBe(HostView.Namespace(Environment.ProcessId, "user"));
        HostView.StatusField(member.ProcessId, "PPid").Should().Be($"{Environment.ProcessId}");
    }

    private static Task<IsolatedProcess> Holder()
    {
        var options = Sandbox.Shell(":");
        options.HostName = "pod";
        return Sandbox.Waiting(options);
    }

    private static IsolationOptions Member(IsolatedProcess holder, Namespaces shared, string script)
    {
        var options = Sandbox.Shell(script);
        options.Join = NamespaceSource.FromProcess(holder, shared);
        return options;
    }
}
