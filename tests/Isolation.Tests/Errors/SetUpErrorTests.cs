using FluentAssertions;
using Isolation.Interop;
using Isolation.Tests.Hosts;
using Xunit;

namespace Isolation.Tests.Errors;

/// <summary>Sandboxes that cannot be set up, for what is asked or for what the machine denies.</summary>
public class SetUpErrorTests
{
    private const int Patience = 60_000;

    [Fact]
    public void A_working_directory_that_does_not_exist() =>
        Expect(Failure(o => o.WorkingDirectory = "/no/such/folder"),
            "enter the working directory", "chdir", Errno.ENOENT, "/no/such/folder", "*does not exist inside the sandbox*");

    [Fact]
    public void A_working_directory_that_private_folders_hide()
    {
        var directory = Directory.CreateTempSubdirectory("isolation-");
        Expect(Failure(o => o.WorkingDirectory = directory.FullName),
            "enter the working directory", "chdir", Errno.ENOENT, directory.FullName, "*such as /tmp start empty*");
        directory.Delete();
    }

    [Fact]
    public void A_working_directory_that_is_a_file() =>
        Expect(Failure(o => o.WorkingDirectory = "/etc/passwd"),
            "enter the working directory", "chdir", Errno.ENOTDIR, "/etc/passwd", "*not a folder*");

    [Fact]
    public void A_working_directory_that_is_closed_to_the_program()
    {
        Assert.SkipUnless(HostApp.IsRoot, "Only root has folders that are closed to the user a sandbox is for.");
        var directory = Directory.CreateTempSubdirectory("isolation-");
        var failure = Failure(o => (o.WorkingDirectory, o.User.UserId, o.User.GroupId, o.Filesystem.PrivateTmp) = (directory.FullName, 54321, 54321, false));
        Expect(failure, "enter the working directory", "chdir", Errno.EACCES, directory.FullName, "*may not enter*");
        directory.Delete();
    }

    [Theory]
    [InlineData(-36_500)]
    [InlineData(10_000_000)]
    public void A_clock_that_would_be_out_of_range(int days)
    {
        Assert.SkipUnless(File.Exists("/proc/self/timens_offsets"), "This kernel has no time namespaces.");
        var failure = Failure(o => (o.Namespaces, o.Time.MonotonicOffset) = (Namespaces.All, TimeSpan.FromDays(days)));
        Expect(failure, "write the clock offsets", "write", Errno.ERANGE, "/proc/self/timens_offsets", "*out of range*");
    }

    [Theory(Timeout = Patience)]
    [InlineData("max_user_namespaces")]
    [InlineData("max_mnt_namespaces")]
    [InlineData("max_pid_namespaces")]
    [InlineData("max_net_namespaces")]
    [InlineData("max_uts_namespaces")]
    [InlineData("max_ipc_namespaces")]
    [InlineData("max_cgroup_namespaces")]
    public async Task Namespaces_that_a_sysctl_forbids(string setting)
    {
        var lines = await FailureAsync(TestContext.Current.CancellationToken, "contained", "init", "set", "/proc/sys/user/" + setting, "0", "fail");
        Expect(lines, "create the sandbox's first process", "clone3", Errno.ENOSPC, "CLONE_NEWNS", $"user.{setting}=0 forbids these namespaces*");
    }

    [Fact(Timeout = Patience)]
    public async Task Namespaces_that_a_sysctl_forbids_where_a_monitor_makes_them()
    {
        var lines = await FailureAsync(TestContext.Current.CancellationToken,
            "contained", "first", "expect-process-1", "set", "/proc/sys/user/max_user_namespaces", "0", "fail");
        Expect(lines, "create the sandbox's first process", "clone", Errno.ENOSPC, "CLONE_NEWNS", "user.max_user_namespaces=0 forbids these namespaces*");
    }

    [Fact(Timeout = Patience)]
    public async Task A_time_namespace_that_a_sysctl_forbids()
    {
        Assert.SkipUnless(File.Exists("/proc/sys/user/max_time_namespaces"), "This kernel has no time namespaces.");
        var lines = await FailureAsync(TestContext.Current.CancellationToken,
            "contained", "init", "set", "/proc/sys/user/max_time_namespaces", "0", "fail", "All");
        Expect(lines, "make a time namespace", "unshare", Errno.ENOSPC, "", "user.max_time_namespaces=0 forbids these namespaces*");
    }

    [Fact(Timeout = Patience)]
    public async Task Namespaces_that_an_outer_sandbox_forbids()
    {
        var lines = await FailureAsync(TestContext.Current.CancellationToken, "without-namespaces", "fail");
        Expect(lines, "create the sandbox's first process", "clone", Errno.EPERM, "CLONE_NEWNS", "*seccomp*");
    }

    [Fact(Timeout = Patience)]
    public async Task Namespaces_that_an_outer_sandbox_forbids_where_a_monitor_makes_them()
    {
        var lines = await FailureAsync(TestContext.Current.CancellationToken, "ignoring-sigchld", "without-namespaces", "fail");
        Expect(lines, "create the sandbox's first process", "clone", Errno.EPERM, "CLONE_NEWNS", "*seccomp*");
    }

    [Fact(Timeout = Patience)]
    public async Task A_fresh_proc_where_the_outer_one_is_masked()
    {
        var lines = await FailureAsync(TestContext.Current.CancellationToken, "contained", "masked", "fail");
        Expect(lines, "mount a fresh procfs", "mount", Errno.EPERM, "/proc", "*masked*");
    }

    [Fact(Timeout = Patience)]
    public async Task A_kernel_that_is_too_old()
    {
        var lines = await FailureAsync(TestContext.Current.CancellationToken,
            "without-call", SyscallTable.Number(Sys.open_tree).ToString(null, null), "fail");
        Expect(lines, "take a device from the host", "open_tree", Errno.ENOSYS, "/dev/null", "*Linux 5.10*");
    }

    /// <summary>That a filter cannot be had is no reason to do without.</summary>
    [Theory(Timeout = Patience)]
    [InlineData]
    [InlineData("init")]
    public async Task A_kernel_that_has_no_filters(params string[] arguments)
    {
        var lines = await FailureAsync(TestContext.Current.CancellationToken,
            ["without-call", SyscallTable.Number(Sys.seccomp).ToString(null, null), "fail", .. arguments]);
        Expect(lines, "filter the program's syscalls", "seccomp", Errno.ENOSYS, "", "*outer sandbox hides it*");
    }

    [Fact(Timeout = Patience)]
    public async Task Namespaces_without_a_user_namespace_by_an_ordinary_user()
    {
        var lines = await FailureAsync(TestContext.Current.CancellationToken, [.. HostApp.Ordinary, "fail", "Pid"]);
        Expect(lines, "create the sandbox's first process", "clone3", Errno.EPERM, "CLONE_NEWPID", "*add Namespaces.User or run as root*");
    }

    [Fact(Timeout = Patience)]
    public async Task Another_user_by_an_ordinary_user()
    {
        var lines = await FailureAsync(TestContext.Current.CancellationToken, [.. HostApp.Ordinary, "fail", "None", "uid=5"]);
        Expect(lines, "become the user", "setresuid", Errno.EPERM, "5", "*needs root, or Namespaces.User*");
    }

    [Theory(Timeout = Patience)]
    [InlineData("first")]
    [InlineData("init")]
    public async Task A_user_that_does_not_exist_here(string kind)
    {
        // An ordinary user's container has a single user.
        var lines = await FailureAsync(TestContext.Current.CancellationToken, [.. HostApp.Ordinary, "contained", kind, "fail", "uid=5"]);
        Expect(lines, "become the user", "setresuid", Errno.EINVAL, "5", "*does not exist in the sandbox's user namespace*");
    }

    [Fact(Timeout = Patience)]
    public async Task Too_many_processes()
    {
        Assert.SkipUnless(HostApp.IsRoot, "Only root can be sure to have a user with no other processes.");
        // The limit does not hold for root, and counts threads: it is exceeded as soon as the app is another user's.
        var output = await HostApp.RunBelowShellAsync("ulimit -u 3 2>/dev/null || ulimit -p 3", TestContext.Current.CancellationToken,
            "print-first", "start-first", "as-user", "54322", "fail");
        Expect(Parse(output), "create the sandbox's first process", "clone3", Errno.EAGAIN, "CLONE_NEWNS", "Too many processes*");
    }

    private static IsolationException Failure(Action<IsolationOptions> change)
    {
        var options = new IsolationOptions("true");
        change(options);
        var run = () => IsolatedProcess.Run(options, TimeSpan.FromSeconds(20));
        return run.Should().Throw<IsolationException>().Which;
    }

    private static async Task<Dictionary<string, string>> FailureAsync(CancellationToken cancellationToken, params string[] arguments) =>
        Parse(await HostApp.RunAsync(cancellationToken, arguments));

    private static Dictionary<string, string> Parse(string output) =>
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

    private static void Expect(IsolationException failure, string step, string syscall, Errno errno, string path, string hint)
    {
        failure.Step.Should().Be(step);
        failure.Syscall.Should().Be(syscall);
        ((Errno)failure.Errno).Should().Be(errno);
        failure.Path.Should().Be(path);
        failure.Hint.Should().Match(hint);
    }

    private static void Expect(Dictionary<string, string> failure, string step, string syscall, Errno errno, string path, string hint)
    {
        failure["Step"].Should().Be(step);
        failure["Syscall"].Should().Be(syscall);
        failure["Errno"].Should().Be(((int)errno).ToString(null, null));
        failure["Path"].Should().StartWith(path);
        failure["Hint"].Should().Match(hint);
    }
}
