using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Joining;

/// <summary>Further programs in a sandbox that runs: <c>process.Start(options)</c>.</summary>
public class EnterTests
{
    private const int Patience = 60_000;

    private static readonly string[] s_links = ["mnt", "uts", "ipc", "pid", "net", "user", "cgroup", "time"];

    [Theory(Timeout = Patience)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_program_that_enters_is_in_all_the_namespaces_of_the_sandbox(bool useInit)
    {
        var options = Sandbox.Shell(":");
        options.UseInit = useInit;
        options.Namespaces = Namespaces.All;
        await using var sandbox = await Sandbox.Waiting(options);

        await using var second = await Waiting(sandbox, Sandbox.Shell(":"));

        foreach (var link in s_links) HostView.Namespace(second.ProcessId, link).Should().Be(HostView.Namespace(sandbox.ProcessId, link));
        HostView.StatusField(second.ProcessId, "NSpid").Should().EndWith($"\t{second.InnerProcessId}");
        second.InnerProcessId.Should().BeGreaterThan(1);
        HostView.StatusField(second.ProcessId, "PPid").Should().Be($"{Environment.ProcessId}", because: "no process stays in between");
    }

    [Fact(Timeout = Patience)]
    public async Task It_sees_the_sandboxs_own_files_and_processes()
    {
        var options = Sandbox.Shell("echo hello > /tmp/file");
        options.HostName = "box";
        await using var sandbox = await Sandbox.Waiting(options);

        var result = await sandbox.RunAndCaptureTextAsync(Sandbox.Shell("cat /tmp/file; uname -n; test -d /proc/1 && tr '\\0' ' ' < /proc/1/cmdline | head -c 11; echo; ls /proc/self/fd | wc -l"),
            cancellationToken: TestContext.Current.CancellationToken);

        result.StandardError.Should().BeEmpty();
        result.StandardOutput.Should().Be("hello\nbox\n/bin/sh -c \n4\n");
    }

    [Fact(Timeout = Patience)]
    public async Task The_sandboxs_rules_hold_for_it_as_they_were_when_the_sandbox_was_started()
    {
        var options = Sandbox.Shell(":");
        options.Umask = 63; // 077
        options.WorkingDirectory = "/usr";
        options.Environment["COLOUR"] = "green";
        options.Environment["LANG"] = null;
        options.Limits[ResourceLimit.OpenFiles] = 77;
        options.Limits.OomScoreAdjustment = 500;
        options.User.UserId = options.User.GroupId = 12;
        options.Security.Seccomp = SeccompProfile.Docker;
        options.Security.Capabilities = CapabilitySets.Of(Capabilities.Kill);
        await using var sandbox = await Sandbox.Waiting(options);
        options.Umask = 0;
        options.Limits[ResourceLimit.OpenFiles] = 1000;
        options.Security.Capabilities = CapabilitySets.All;
        options.Security.Seccomp = null;
        options.User.UserId = 0;

        const string script = "umask; pwd; echo $COLOUR,$LANG; ulimit -n; cat /proc/self/oom_score_adj; id -u; id -g; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status";
        var result = await sandbox.RunAndCaptureTextAsync(Sandbox.Shell(script), cancellationToken: TestContext.Current.CancellationToken);

        result.StandardError.Should().BeEmpty();
        result.StandardOutput.Should().Be("0077\n/usr\ngreen,\n77\n500\n12\n12\n" +
            "CapInh:\t0000000000000020\nCapPrm:\t0000000000000020\nCapEff:\t0000000000000020\nCapBnd:\t0000000000000020\nCapAmb:\t0000000000000020\nNoNewPrivs:\t1\nSeccomp:\t2\n");
    }

    [Fact(Timeout = Patience)]
    public async Task What_its_own_options_say_goes_before()
    {
        var options = Sandbox.Shell(":");
        options.Umask = 63;
        options.Environment["COLOUR"] = "green";
        options.WorkingDirectory = "/usr";
        options.Limits[ResourceLimit.OpenFiles] = 77;
        await using var sandbox = await Sandbox.Waiting(options);

        var other = Sandbox.Shell("umask; pwd; echo $COLOUR; ulimit -n; grep Seccomp: /proc/self/status");
        other.Umask = 0;
        other.Environment["COLOUR"] = "red";
        other.WorkingDirectory = "/etc";
        other.Limits[ResourceLimit.OpenFiles] = 55;
        other.Security.Seccomp = null;
        var result = await sandbox.RunAndCaptureTextAsync(other, cancellationToken: TestContext.Current.CancellationToken);

        result.StandardOutput.Should().Be("0000\n/etc\nred\n55\nSeccomp:\t0\n");
    }

    [Fact(Timeout = Patience)]
    public async Task A_Landlock_policy_holds_for_it_too()
    {
        Assert.SkipUnless(LandlockPolicy.KernelAbi > 0, "This kernel has no Landlock.");
        var options = Sandbox.Shell(":");
        options.Security.Landlock = new LandlockPolicy { Enforcement = LandlockEnforcement.BestEffort }.AllowReadExecute("/usr", "/bin", "/lib").AllowReadWrite("/dev/null");
        if (Directory.Exists("/lib64")) options.Security.Landlock = options.Security.Landlock.AllowReadExecute("/lib64");
        await using var sandbox = await Sandbox.Waiting(options);

        var result = await sandbox.RunAndCaptureTextAsync(Sandbox.Shell("cat /etc/passwd 2> /dev/null || echo refused"), cancellationToken: TestContext.Current.CancellationToken);

        result.StandardOutput.Should().Be("refused\n");
    }

    [Fact(Timeout = Patience)]
    public async Task A_user_found_by_name_is_not_looked_up_again_in_the_sandbox()
    {
        using var folder = new TemporaryFolder("users-");
        var passwd = folder.File("passwd", "root:x:0:0::/:/bin/sh\nsomebody:x:7:8::/home/somebody:/bin/sh\n");
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_101_101);
        var options = Sandbox.Shell(":");
        options.User.Name = "somebody";
        options.Filesystem.Mounts.Add(new BindMount(passwd, "/etc/passwd"));
        await using var sandbox = await Sandbox.Waiting(options);
        File.WriteAllText(passwd, "root:x:0:0::/:/bin/sh\nsomebody:x:0:0::/:/bin/sh\n");

        var result = await sandbox.RunAndCaptureTextAsync(Sandbox.Shell("id -u; id -g; echo $HOME"), cancellationToken: TestContext.Current.CancellationToken);

        result.StandardError.Should().BeEmpty();
        result.StandardOutput.Should().Be("7\n8\n/home/somebody\n");
    }

    [Fact(Timeout = Patience)]
    public async Task Its_end_is_not_that_of_the_sandbox_and_takes_what_it_has_started()
    {
        await using var sandbox = await Sandbox.Waiting();
        await using var second = await Waiting(sandbox, Sandbox.Shell("sleep 1000 & sleep 1000 &"));
        var processes = second.GetProcessIds();
        processes.Should().HaveCount(3);

        second.Kill();
        (await second.WaitForExitAsync(TestContext.Current.CancellationToken)).ToString().Should().Be("signal SIGKILL");

        await HostView.Until(() => !processes.Any(static pid => HostView.Exists(pid) && HostView.Read(pid, "stat").Contains(") Z") is false), "all of it is gone");
        sandbox.HasExited.Should().BeFalse();
    }

    [Theory(Timeout = Patience)]
    [InlineData(Namespaces.Default)]
    [InlineData(Namespaces.Default & ~Namespaces.Pid)]
    public async Task It_ends_with_the_sandbox(Namespaces namespaces)
    {
        var sandbox = await Sandbox.Waiting(namespaces);
        await using var second = await Waiting(sandbox, Sandbox.Shell(":"));
        await using var third = await Waiting(second, Sandbox.Shell(":"));

        await sandbox.DisposeAsync();

        (await second.WaitForExitAsync(TestContext.Current.CancellationToken)).ToString().Should().Be("signal SIGKILL");
        (await third.WaitForExitAsync(TestContext.Current.CancellationToken)).ToString().Should().Be("signal SIGKILL");
    }

    [Fact(Timeout = Patience)]
    public async Task A_sandbox_that_has_ended_cannot_be_entered()
    {
        var sandbox = await Sandbox.Waiting();
        await sandbox.DisposeAsync();

        var enter = () => sandbox.Start(new IsolationOptions("true"));

        enter.Should().Throw<IsolationException>().Which.Hint.Should().Contain("has ended");
    }

    [Fact(Timeout = Patience)]
    public async Task A_program_that_does_not_exist_inside_is_an_error_that_says_so()
    {
        await using var sandbox = await Sandbox.Waiting();

        var enter = () => sandbox.Run(new IsolationOptions("/no/such/program"));

        enter.Should().Throw<IsolationException>().Which.Path.Should().Be("/no/such/program");
        sandbox.Run(new IsolationOptions("true")).ExitCode.Should().Be(0);
    }

    public static TheoryData<string, Action<IsolationOptions>> Contradictions => new()
    {
        { nameof(IsolationOptions.HostName), static options => options.HostName = "other" },
        { nameof(IsolationOptions.DomainName), static options => options.DomainName = "other" },
        { nameof(IsolationOptions.Filesystem), static options => options.Filesystem.Root = Root.Host },
        { nameof(IsolationOptions.Filesystem), static options => options.Filesystem.Mounts.Add(new TmpfsMount("/mnt")) },
        { nameof(IsolationOptions.Filesystem), static options => options.Filesystem.PrivateTmp = false },
        { nameof(IsolationOptions.UseInit), static options => options.UseInit = true },
        { nameof(IsolationOptions.User), static options => options.User.UserMap = [new IdMapping(0, 1000, 1)] },
        { nameof(IsolationOptions.User), static options => options.User.ForbidNestedUserNamespaces = true },
        { nameof(IsolationOptions.Time), static options => options.Time.BootTimeOffset = TimeSpan.FromDays(1) },
        { nameof(IsolationOptions.Join), static options => options.Join = NamespaceSource.FromProcess(Environment.ProcessId) },
    };

    [Theory(Timeout = Patience)]
    [MemberData(nameof(Contradictions), DisableDiscoveryEnumeration = true)]
    public async Task What_would_change_the_sandbox_for_all_is_refused(string option, Action<IsolationOptions> change)
    {
        await using var sandbox = await Sandbox.Waiting();
        var options = new IsolationOptions("true");
        change(options);

        var enter = () => sandbox.Run(options);

        enter.Should().Throw<ArgumentException>().WithParameterName(option);
    }

    [Fact(Timeout = Patience)]
    public async Task A_start_that_hangs_inside_can_be_canceled()
    {
        await using var sandbox = await Sandbox.Waiting();
        using var cancellation = new CancellationTokenSource();
        var task = IsolatedProcess.LaunchAsync(new IsolationOptions("true").Joining(sandbox, Namespaces.All), default, cancellation.Token, new Launching.LaunchHooks(static plan =>
        {
            foreach (ref var step in plan.Steps)
                if (step.Label == "set the umask") step = Planning.LaunchPlan.Make(Planning.StepKind.Syscall, Isolation.Interop.Sys.ppoll, step.Label, null);
        }));

        await cancellation.CancelAsync();

        await ((Func<Task>)(() => task)).Should().ThrowAsync<OperationCanceledException>();
        sandbox.Run(new IsolationOptions("true")).ExitCode.Should().Be(0);
    }

    private static async Task<IsolatedProcess> Waiting(IsolatedProcess sandbox, IsolationOptions options)
    {
        options.Arguments[1] += "\necho ready; read -r line";
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        var process = await sandbox.StartAsync(options, cancellationToken: TestContext.Current.CancellationToken);
        (await process.ReadLine()).Should().Be("ready");
        return process;
    }
}
