using FluentAssertions;
using Isolation.Interop;
using Isolation.Tests.Hosts;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>Starts under a policy: in every mode, and what they say when they cannot be.</summary>
public class LandlockStartTests
{
    [Theory(Timeout = 30_000)]
    [InlineData(Namespaces.None, false)]
    [InlineData(Namespaces.User, false)]
    [InlineData(Namespaces.Default, false)]
    [InlineData(Namespaces.All, true)]
    [InlineData(Namespaces.Pid, true)]
    public async Task It_works_with_and_without_namespaces(Namespaces namespaces, bool useInit)
    {
        Landlocked.Require(1);
        const string script = "cat /etc/hostname > /dev/null && (ls /var || :) 2>&1";
        foreach (var policy in (LandlockPolicy?[])[null, Landlocked.Everything.AllowReadWrite("/dev")])
        {
            var options = Sandbox.Shell(script);
            options.Namespaces = namespaces == Namespaces.None ? namespaces : Privilege.Possible(namespaces);
            options.UseInit = useInit;
            options.Security.Landlock = policy;
            var output = await Sandbox.OutputOf(options);
            if (policy is null) output.Should().Contain("lib\n");
            else output.Should().MatchRegex("^ls: cannot open directory '?/var'?: Permission denied\n$");
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task It_works_in_a_host_that_needs_a_monitor()
    {
        Landlocked.Require(1);
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "ignoring-sigchld", "landlock")).Should().EndWith("fine\n");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_seventeenth_policy_is_one_too_many()
    {
        Landlocked.Require(1);
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "landlock", "15")).Should().EndWith("fine\n");
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "landlock", "16")).Should().Contain("E2BIG").And.Contain("Sixteen Landlock policies");
    }

    [Fact(Timeout = 30_000)]
    public async Task No_descriptor_of_it_is_left_to_the_program()
    {
        Landlocked.Require(1);
        const string script = "cd /proc/self/fd && echo *";
        var options = Landlocked.Alone(null, script);
        var without = await Sandbox.OutputOf(options);
        options.Security.Landlock = Landlocked.Everything.AllowRead("/proc");
        (await Sandbox.OutputOf(options)).Should().Be(without);
    }

    [Fact(Timeout = 30_000)]
    public async Task Processes_outside_cannot_be_looked_into()
    {
        Landlocked.Require(1);
        await using var other = await Sandbox.Waiting(Landlocked.Alone(null, ":"));
        var pid = other.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture);
        const string script = "cat /proc/$1/environ > /dev/null"; // takes what reading by ptrace(2) takes
        await Landlocked.Succeeds(Landlocked.Alone(null, script, pid));
        await Landlocked.IsDenied(Landlocked.Alone(Landlocked.Nothing with { HandledAccess = LandlockAccess.MakeBlock }, script, pid));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_with_capabilities_cannot_mount_its_way_out()
    {
        Landlocked.Require(1);
        Programs.Require("mount");
        const string script = "mount -t tmpfs none /mnt";
        foreach (var policy in (LandlockPolicy?[])[null, Landlocked.Everything.AllowReadWrite("/")])
        {
            var options = Sandbox.Shell(script);
            (options.Security.Capabilities, options.Security.Seccomp) = (CapabilitySets.All, null);
            options.Security.Landlock = policy;
            if (policy is null) await Landlocked.Succeeds(options);
            else (await IsolatedProcess.RunAndCaptureTextAsync(options, TestContext.Current.CancellationToken)).ExitStatus.ExitCode.Should().NotBe(0);
        }
    }

    [Fact]
    public void A_program_that_no_rule_lets_run()
    {
        Landlocked.Require(1);
        var error = Failure(LandlockPolicy.ForAbi(1).AllowReadExecute("/etc"), "/bin/sh");
        ((Errno)error.Errno).Should().Be(Errno.EACCES);
        error.Path.Should().Be("/bin/sh");
        error.Hint.Should().Match("*/bin/sh*Landlock*dynamic loader*AllowReadExecute*");
    }

    [Fact]
    public void A_program_that_is_looked_up() =>
        Hint(LandlockPolicy.ForAbi(1).AllowReadExecute("/etc"), "sh").Should().Contain("Landlock").And.Contain("AllowReadExecute");

    [Fact]
    public void A_program_whose_loader_no_rule_lets_run()
    {
        Assert.SkipUnless(File.ReadAllBytes("/bin/sh").AsSpan().IndexOf("/ld-"u8) > 0, "The machine's /bin/sh is static and names no loader.");
        Hint(LandlockPolicy.ForAbi(1).AllowReadExecute("/bin/sh"), "/bin/sh").Should().Contain("Landlock").And.Contain("loader");
    }

    [Fact]
    public void A_script_whose_interpreter_no_rule_lets_run()
    {
        using var folder = new TemporaryFolder();
        var script = folder.Script("script", "exit 0");
        Hint(LandlockPolicy.ForAbi(1).AllowReadExecute(folder.Path), script).Should().Contain("Landlock").And.Contain("'/bin/sh'");
    }

    [Fact]
    public void A_file_that_is_not_executable_is_still_one() =>
        Hint(Landlocked.Everything, "/etc/passwd").Should().Contain("not executable").And.NotContain("Landlock");

    [Fact]
    public void A_policy_without_a_word_on_executing_is_not_blamed() =>
        Hint(Landlocked.Nothing with { HandledAccess = LandlockAccess.MakeSym }, "/etc/passwd").Should().NotContain("Landlock");

    [Fact]
    public void A_path_that_does_not_exist()
    {
        var error = Failure(Landlocked.Everything.AllowRead("/no/such/folder"), "true");
        error.Step.Should().Be("find a path that Landlock is to allow");
        ((Errno)error.Errno).Should().Be(Errno.ENOENT);
        error.Path.Should().Be("/no/such/folder");
        error.Hint.Should().Contain("ignoreMissing");
    }

    [Fact]
    public void A_path_that_goes_through_a_file()
    {
        var error = Failure(Landlocked.Everything.AllowRead("/etc/passwd/x"), "true");
        ((Errno)error.Errno).Should().Be(Errno.ENOTDIR);
    }

    [Fact(Timeout = 30_000)]
    public async Task Paths_that_do_not_exist_can_be_passed_over()
    {
        Landlocked.Require(1);
        var policy = Landlocked.Everything.AllowPath("/no/such/folder", LandlockAccess.Read, ignoreMissing: true)
            .AllowPath("/etc/passwd/x", LandlockAccess.ReadFile, ignoreMissing: true).AllowPath("/var", LandlockAccess.Read, ignoreMissing: true);
        (await Sandbox.OutputOf(Landlocked.Alone(policy, "ls /var"))).Should().Contain("lib\n");
    }

    [Fact]
    public void A_link_of_proc_is_not_followed()
    {
        var error = Failure(Landlocked.Everything.AllowReadWrite("/dev/stdin"), "true");
        ((Errno)error.Errno).Should().Be(Errno.ELOOP);
        error.Hint.Should().Contain("inherited");
    }

    [Fact]
    public void A_right_of_folders_for_a_file()
    {
        var error = Failure(Landlocked.Everything.AllowPath("/etc/passwd", LandlockAccess.MakeDir), "true");
        error.Syscall.Should().Be("landlock_add_rule");
        ((Errno)error.Errno).Should().Be(Errno.EINVAL);
        error.Path.Should().Be("/etc/passwd");
        error.Hint.Should().Contain("Only folders");
    }

    [Fact]
    public void New_privileges_together_with_Landlock()
    {
        Landlocked.Require(1);
        var options = new IsolationOptions("true") { Security = { Landlock = Landlocked.Everything, NoNewPrivileges = false } };
        var error = ((Action)(() => IsolatedProcess.Run(options, TimeSpan.FromSeconds(20)))).Should().Throw<IsolationException>().Which;
        error.Syscall.Should().Be("landlock_restrict_self");
        ((Errno)error.Errno).Should().Be(Errno.EPERM);
        error.Hint.Should().Contain("NoNewPrivileges");
    }

    [Fact(Timeout = 30_000)]
    public async Task Many_paths_and_ports()
    {
        Landlocked.Require(4);
        using var folder = new TemporaryFolder();
        var policy = LandlockPolicy.ForAbi(4).WithInstalled(LandlockAccess.ReadExecute).AllowReadWrite("/dev/null");
        for (var i = 0; i < 2000; i++) policy = policy.AllowPath(folder.File($"file{i}", $"{i}"), LandlockAccess.Read).AllowConnectTcp(i);
        (await Sandbox.OutputOf(Landlocked.Alone(policy, "cat \"$1/file1999\"; ! ls \"$1\" 2>/dev/null", folder.Path))).Should().Be("1999");
    }

    private static string? Hint(LandlockPolicy policy, string program)
    {
        var error = Failure(policy, program);
        ((Errno)error.Errno).Should().Be(Errno.EACCES);
        return error.Hint;
    }

    private static IsolationException Failure(LandlockPolicy policy, string program)
    {
        Landlocked.Require(1);
        var options = new IsolationOptions(program) { Namespaces = Namespaces.None, Security = { Landlock = policy } };
        return ((Action)(() => IsolatedProcess.Run(options, TimeSpan.FromSeconds(20)))).Should().Throw<IsolationException>().Which;
    }
}
