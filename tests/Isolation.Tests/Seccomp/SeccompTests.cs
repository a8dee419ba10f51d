using System.Globalization;
using FluentAssertions;
using Isolation.Interop;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>What a filter does to the program's calls, seen from inside.</summary>
public class SeccompTests(RawCalls calls) : IClassFixture<RawCalls>
{
    private const string Sigsys = "signal SIGSYS";
    private const string Eperm = "-1", Enosys = "-38";

    /// <summary>Allows all but what it is told.</summary>
    private static SeccompProfile All(params SeccompRule[] rules) => new(SeccompAction.Allow, rules);

    [Fact(Timeout = 30_000)]
    public async Task A_program_is_under_the_default_filter_and_what_it_starts_too() =>
        (await Sandbox.OutputOf("grep Seccomp: /proc/self/status; sh -c 'sh -c \"grep Seccomp: /proc/self/status\"'; grep Seccomp: /proc/1/status"))
            .Should().Be("Seccomp:\t2\nSeccomp:\t2\nSeccomp:\t2\n");

    [Fact(Timeout = 30_000)]
    public async Task A_program_can_be_left_without_a_filter()
    {
        var options = Sandbox.Shell("grep Seccomp: /proc/self/status");
        options.Security.Seccomp = null;
        (await Sandbox.OutputOf(options)).Should().Be(File.ReadLines("/proc/self/status").First(static line => line.StartsWith("Seccomp:", StringComparison.Ordinal)) + "\n");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(0, "0")]
    [InlineData(1, "-1")]
    [InlineData(28, "-28")]
    [InlineData(4095, "-4095")]
    public async Task A_call_fails_with_the_error_that_is_asked_for(int errno, string result)
    {
        var profile = All(new SeccompRule(SeccompAction.Errno(errno), "getppid"));
        (await calls.Run(profile, RawCalls.Call("getppid"))).Should().Be(result);
        (await calls.Run(profile, RawCalls.Call("getpid"))).Should().Be("1", "the program is process 1 of its namespace");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_call_kills_the_program()
    {
        foreach (var action in (SeccompAction[])[SeccompAction.KillProcess, SeccompAction.KillThread, SeccompAction.Trap])
        {
            var (results, status) = await calls.Run(All(new SeccompRule(action, "getppid")), RawCalls.Call("getpid"), RawCalls.Call("getppid"), RawCalls.Call("getpid"));
            results.Should().Equal("1");
            (status.SignalNumber, status.ExitCode).Should().Be((31, 128 + 31), action.ToString());
            status.ToString().Should().StartWith(Sigsys);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_trap_can_be_caught_and_a_kill_cannot()
    {
        var call = RawCalls.Call("getppid");
        var (results, status) = await calls.Run(All(new SeccompRule(SeccompAction.Trap, "getppid")), "catch", call);
        (results.Single(), status.ExitCode).Should().Be(("SIGSYS " + call, 7));
        (results, status) = await calls.Run(All(new SeccompRule(SeccompAction.KillProcess, "getppid")), "catch", call);
        (results.Length, status.SignalNumber).Should().Be((0, 31));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_call_is_logged_and_made_or_fails_without_a_tracer()
    {
        (await calls.Run(All(new SeccompRule(SeccompAction.Log, "getpid")), RawCalls.Call("getpid"))).Should().Be("1");
        (await calls.Run(All(new SeccompRule(SeccompAction.Trace(5), "getpid")), RawCalls.Call("getpid"))).Should().Be(Enosys);
        (await calls.Run(All(new SeccompRule(SeccompAction.Deny, "getpid")) with { LogsDenials = true, AllowsSpeculation = false }, RawCalls.Call("getpid"))).Should().Be(Eperm);
    }

    public static TheoryData<SeccompOperator, string, string[]> Comparisons => new()
    {
        { SeccompOperator.Equal, "0x100000007", ["0x100000007"] },
        { SeccompOperator.NotEqual, "0x100000007", ["6", "7", "8", "0x100000006", "0x100000008", "0x200000007", "0x200000000", "0xffffffffffffffff"] },
        { SeccompOperator.Less, "0x100000007", ["6", "7", "8", "0x100000006"] },
        { SeccompOperator.LessOrEqual, "0x100000007", ["6", "7", "8", "0x100000006", "0x100000007"] },
        { SeccompOperator.Greater, "0x100000007", ["0x100000008", "0x200000007", "0x200000000", "0xffffffffffffffff"] },
        { SeccompOperator.GreaterOrEqual, "0x100000007", ["0x100000007", "0x100000008", "0x200000007", "0x200000000", "0xffffffffffffffff"] },
    };

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Comparisons))]
    public async Task Arguments_are_compared_in_all_their_64_bits(SeccompOperator comparison, string value, string[] fitting)
    {
        string[] all = ["6", "7", "8", "0x100000006", "0x100000007", "0x100000008", "0x200000007", "0x200000000", "0xffffffffffffffff"];
        var number = ulong.Parse(value.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        for (var index = 0; index < 6; index += 5)
        {
            // getppid takes no arguments, and so does not mind them.
            var profile = All(new SeccompRule(SeccompAction.Errno(77), "getppid") { Conditions = [new(index, comparison, number)] });
            var (results, status) = await calls.Run(profile, all.Select(argument => RawCalls.Call("getppid", [.. Enumerable.Repeat("9", index), argument])));
            status.ExitCode.Should().Be(0);
            results.Should().Equal(all.Select(argument => fitting.Contains(argument) ? "-77" : "0"), "these are the results for argument {0}", index);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Arguments_are_compared_by_some_of_their_bits_and_together()
    {
        var profile = All(
            new SeccompRule(SeccompAction.Errno(71), "getppid") { Conditions = [SeccompCondition.MaskedEqual(0, 0xf0, 0x30), new(1, SeccompOperator.Equal, 1)] },
            new SeccompRule(SeccompAction.Errno(72), "getppid") { Conditions = [SeccompCondition.Low32(0, 0x5412)] });
        var (results, _) = await calls.Run(profile, RawCalls.Call("getppid", "0x1f3f", "1"), RawCalls.Call("getppid", "0x1f3f", "2"), RawCalls.Call("getppid", "0x1f4f", "1"),
            RawCalls.Call("getppid", "0x5412"), RawCalls.Call("getppid", "0x12300005412"), RawCalls.Call("getppid", "0x5413"));
        results.Should().Equal("-71", "0", "0", "-72", "-72", "0");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_call_of_32_bit_programs_kills_unless_the_profile_takes_them()
    {
        RawCalls.RequireX64();
        const string getpid = "20";
        var (without, status) = await calls.Run(null, "int80", getpid);
        Assert.SkipUnless(status.ExitCode == 0 && without.Single() == "1", "This kernel has no 32-bit syscalls (CONFIG_IA32_EMULATION).");
        (_, status) = await calls.Run(SeccompProfile.Default, "int80", getpid);
        status.ToString().Should().StartWith(Sigsys);
        (await calls.Run(SeccompProfile.Default with { Architectures = [SeccompArchitecture.X86] }, "int80", getpid)).Results.Should().Equal("1");
        (await calls.Run(SeccompProfile.Docker, "int80", getpid)).Results.Should().Equal("1");
        (await calls.Run(SeccompProfile.Default with { ForeignAction = SeccompAction.Errno(77) }, "int80", getpid)).Results.Should().Equal("-77");
        // By its own numbers: 20 is writev on x64.
        (await calls.Run(All(new SeccompRule(SeccompAction.Errno(66), "getpid")) with { Architectures = [SeccompArchitecture.X86] }, "int80", getpid)).Results.Should().Equal("-66");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_call_of_x32_programs_kills_unless_the_profile_takes_them()
    {
        RawCalls.RequireX64();
        const string getpid = "39";
        var (without, _) = await calls.Run(null, "x32", getpid);
        without.Should().ContainSingle().Which.Should().BeOneOf("1", Enosys);
        var (results, status) = await calls.Run(SeccompProfile.Default, "x32", getpid);
        results.Should().BeEmpty();
        status.ToString().Should().StartWith(Sigsys);
        (await calls.Run(SeccompProfile.Docker, "x32", getpid)).Results.Should().Equal(without);
        (await calls.Run(All(new SeccompRule(SeccompAction.Errno(77), "getpid")) with { Architectures = [SeccompArchitecture.X32] }, "x32", getpid)).Results.Should().Equal("-77");
        (await calls.Run(SeccompProfile.Default, "18446744073709551615")).Should().Be(Enosys, "-1 has the bit, and is no call of x32");
    }

    /// <summary>Calls with arguments that do no harm, and what comes of them without a filter: something else.</summary>
    public static TheoryData<string, string[]> Dangerous => new()
    {
        { "keyctl", ["0xffff"] }, { "io_uring_setup", ["0", "0"] }, { "io_uring_enter", ["0xffffffff"] }, { "io_uring_register", ["0xffffffff"] },
        { "ptrace", ["0xffff", "999999"] }, { "process_vm_readv", ["1", "here", "0", "here", "0", "0"] }, { "pidfd_getfd", ["0xffffffff", "0", "0"] },
        { "unshare", ["0x10000000"] }, { "perf_event_open", ["0"] }, { "add_key", ["0", "0", "0", "0", "0"] }, { "request_key", ["0", "0", "0", "0"] },
        { "process_madvise", ["0xffffffff"] }, { "socket", ["38", "99"] }, { "socket", ["0x10000000026", "99"] }, { "ioctl", ["0xffffffff", "0x5412"] },
        { "ioctl", ["0xffffffff", "0x12300005412"] }, { "ioctl", ["0xffffffff", "0x541c"] }, { "personality", ["0x40000"] }, { "kcmp", ["0", "0", "99"] },
        { "mount_setattr", ["0xffffffff", "here", "0", "here", "9"] }, { "open_tree", ["0xffffffff", "here", "0xffff"] }, { "setns", ["0xffffffff", "0"] },
        { "clone", ["0x10000800"] }, { "fcntl", ["0xffffffff", "1024", "0"] }, { "fcntl", ["0xffffffff", "0x100000400", "0"] },
    };

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Dangerous))]
    public async Task What_is_dangerous_is_refused(string name, string[] arguments)
    {
        var call = RawCalls.Call(name, arguments);
        var without = await calls.Run(null, call);
        Assert.SkipWhen(without is Eperm or Enosys, $"This kernel refuses {name} by itself.");
        (await calls.Run(SeccompProfile.Default, call)).Should().Be(Eperm, "without a filter it is {0}", without);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("clone3", "here", "0")]
    [InlineData("5000")]
    [InlineData("471000")]
    public async Task What_is_unknown_and_clone3_is_said_to_be_missing(params string[] call)
    {
        var words = char.IsDigit(call[0][0]) ? call[0] : RawCalls.Call(call[0], call[1..]);
        (await calls.Run(SeccompProfile.Default, words)).Should().Be(Enosys);
        if (call[0] == "clone3") (await calls.Run(null, words)).Should().NotBe(Enosys);
    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_harmless_in_the_same_calls_is_allowed()
    {
        string[] words =
        [
            RawCalls.Call("unshare", "0x400"), RawCalls.Call("personality", "0xffffffff"), RawCalls.Call("personality", "0"), RawCalls.Call("socket", "1", "1"),
            RawCalls.Call("ioctl", "0xffffffff", "0x5413"),
        ];
        var (results, _) = await calls.Run(SeccompProfile.Default, words);
        results.Should().Equal("0", "0", "0", "3", "-9");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_profile_can_be_changed()
    {
        var call = RawCalls.Call("process_vm_readv", "1", "here", "0", "here", "0", "0");
        (await calls.Run(SeccompProfile.Default.Allowing("process_vm_readv"), call)).Should().Be("0");
        (await calls.Run(SeccompProfile.Default.Denying("getpid"), RawCalls.Call("getpid"))).Should().Be(Eperm);
        (await calls.Run(SeccompProfile.Default with { UnknownAction = SeccompAction.Errno(77) }, "5000")).Should().Be("-77");
        (await calls.Run(SeccompProfile.Docker, RawCalls.Call("ptrace", "0xffff", "999999"))).Should().Be("-3", "Docker allows it");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_profile_that_was_read_is_enforced()
    {
        var profile = SeccompProfile.Parse("""
            { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
              { "names": ["getppid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77, "args": [{ "index": 2, "value": 255, "valueTwo": 16, "op": "SCMP_CMP_MASKED_EQ" }] }
            ] }
            """);
        var (results, _) = await calls.Run(profile, RawCalls.Call("getppid", "0", "0", "0x510"), RawCalls.Call("getppid", "0", "0", "0x511"));
        results.Should().Equal("-77", "0");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_init_is_not_under_the_filter_that_its_program_has()
    {
        // The init waits, reaps and forwards signals by calls that the program may not make.
        var options = calls.Options(All(new SeccompRule(SeccompAction.KillProcess, "waitid", "ppoll", "rt_sigaction", "signalfd4", "kill")), RawCalls.Call("getpid"));
        options.UseInit = true;
        var output = await IsolatedProcess.RunAndCaptureTextAsync(options, TestContext.Current.CancellationToken);
        (output.StandardOutput, output.ExitStatus.ExitCode).Should().Be(("2\n", 0));

        var shell = Sandbox.Shell("grep Seccomp: /proc/1/status /proc/self/status");
        shell.UseInit = true;
        (await Sandbox.OutputOf(shell)).Should().MatchRegex("^/proc/1/status:Seccomp:\t[02]\n/proc/self/status:Seccomp:\t2\n$").And
            .StartWith("/proc/1/status:" + File.ReadLines("/proc/self/status").First(static line => line.StartsWith("Seccomp:", StringComparison.Ordinal)));
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_filter_without_no_new_privs_is_in_place_before_privileges_go(bool useInit)
    {
        foreach (var profile in (SeccompProfile[])[SeccompProfile.Default, SeccompProfile.Docker])
        {
            var options = Sandbox.Shell("grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status; mount -t tmpfs t /tmp 2>/dev/null || echo refused");
            options.UseInit = useInit;
            options.WorkingDirectory = "/usr";
            options.Security.NoNewPrivileges = false;
            options.Security.Seccomp = profile;
            if (Privilege.CanMapEverything) (options.User.UserId, options.User.GroupId) = (1000, 1000);
            (await Sandbox.OutputOf(options)).Should().Be("CapEff:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t2\nrefused\n");
        }
    }

    [Fact]
    public void A_filter_without_no_new_privs_and_without_privileges_is_an_error()
    {
        Assert.SkipWhen(Privilege.CanAdminister, "Root may do it.");
        var start = () => IsolatedProcess.Run(new IsolationOptions("/bin/true") { Namespaces = Namespaces.None, Security = { NoNewPrivileges = false } });
        var error = start.Should().Throw<IsolationException>().Which;
        (error.Step, error.Syscall, error.Errno).Should().Be(("filter the program's syscalls", "seccomp", (int)Errno.EACCES));
        error.Hint.Should().Contain("NoNewPrivileges");
    }

    [Fact]
    public void A_profile_under_which_nothing_could_start_is_refused()
    {
        ((Action)(() => Start(All(new SeccompRule(SeccompAction.Deny, "execve"))))).Should().Throw<ArgumentException>().WithMessage("*execve*");
        ((Action)(() => Start(new SeccompProfile(SeccompAction.KillProcess)))).Should().Throw<ArgumentException>().WithMessage("*execve*");
        ((Action)(() => Start(All(new SeccompRule(SeccompAction.Deny, "exit_group"))))).Should().Throw<ArgumentException>().WithMessage("*exit_group*");

        static void Start(SeccompProfile profile) => IsolatedProcess.Start(new IsolationOptions("/bin/true") { Security = { Seccomp = profile } });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_program_that_is_missing_is_said_to_be_whatever_the_filter_forbids(bool kills)
    {
        var profile = All(new SeccompRule(kills ? SeccompAction.KillProcess : SeccompAction.Deny, "openat", "read", "open"));
        foreach (var name in (string[])["isolation-no-such-program", "/no/such/program"])
        {
            var start = () => IsolatedProcess.Start(new IsolationOptions(name) { Security = { Seccomp = profile } });
            var error = start.Should().Throw<IsolationException>().Which;
            (error.Step, error.Syscall, error.Errno, error.Path).Should().Be(("execute the program", "execve", (int)Errno.ENOENT, name));
        }
    }

    [Fact]
    public void A_program_whose_exec_the_arguments_forbid_is_told_as_such()
    {
        var profile = All(new SeccompRule(SeccompAction.Errno(77), "execve") { Conditions = [new(0, SeccompOperator.Greater, 1)] });
        var start = () => IsolatedProcess.Start(new IsolationOptions("/bin/true") { Security = { Seccomp = profile } });
        var error = start.Should().Throw<IsolationException>().Which;
        (error.Step, error.Syscall, error.Errno).Should().Be(("execute the program", "execve", 77));
    }

    [Fact]
    public void The_filter_is_the_last_step_before_the_program()
    {
        var options = new IsolationOptions("/bin/true") { UseInit = true, Security = { Seccomp = SeccompProfile.Default with { LogsDenials = true } } };
        var steps = options.Explain().Split('\n');
        var at = Array.FindIndex(steps, static step => step.Contains("seccomp(", StringComparison.Ordinal));
        steps[at].Should().Contain("SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG|SECCOMP_FILTER_FLAG_SPEC_ALLOW, &data+").And.Contain("filter the program's syscalls");
        steps[at + 1].Should().StartWith("execve(");
        options.Security.Seccomp = null;
        options.Explain().Should().NotContain("seccomp(");
    }
}
