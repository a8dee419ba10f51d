using FluentAssertions;
using Isolation.Filtering;
using Isolation.Interop;
using Xunit;

namespace Isolation.Tests.Filtering;

/// <summary>The filter decides as its profile reads, for every call of every architecture.</summary>
public class FilterCompilerTests
{
    private const ulong SysAdmin = 1ul << Linux.CAP_SYS_ADMIN;

    private static readonly SeccompAction[] s_actions =
    [
        SeccompAction.Allow, SeccompAction.Deny, SeccompAction.Missing, SeccompAction.Errno(0), SeccompAction.Errno(4095), SeccompAction.Log,
        SeccompAction.KillProcess, SeccompAction.KillThread, SeccompAction.Trap, SeccompAction.Trace(0xffff), SeccompAction.Notify,
    ];

    [Theory(Timeout = 60_000)]
    [InlineData(SeccompArchitecture.X64, 0ul)]
    [InlineData(SeccompArchitecture.X64, SysAdmin)]
    [InlineData(SeccompArchitecture.X64, ulong.MaxValue)]
    [InlineData(SeccompArchitecture.Arm64, 0ul)]
    [InlineData(SeccompArchitecture.Arm64, ulong.MaxValue)]
    public async Task The_built_in_profiles_compile_to_what_they_say(SeccompArchitecture native, ulong capabilities)
    {
        await Task.Yield(); // for the timeout
        var random = new Random(1);
        foreach (var profile in (SeccompProfile[])[SeccompProfile.Default, SeccompProfile.Docker, SeccompProfile.Default with { Architectures = Enum.GetValues<SeccompArchitecture>() }])
            FilterComparison.Compare(profile, native, capabilities, random).Should().BeGreaterThan(8000);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(SeccompArchitecture.X64)]
    [InlineData(SeccompArchitecture.Arm64)]
    public async Task Any_profile_compiles_to_what_it_says(SeccompArchitecture native)
    {
        await Task.Yield();
        for (var seed = 0; seed < 60; seed++) FilterComparison.Compare(Random(seed), native, (ulong)seed, new Random(seed));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_profile_may_be_as_long_as_jumps_of_8_bits_do_not_reach()
    {
        await Task.Yield();
        // Every call has conditions of its own, and all architectures are in one program.
        var rules = SyscallNames.All.Order(StringComparer.Ordinal).Take(90).Select((name, i) =>
            new SeccompRule(s_actions[i % s_actions.Length], name) { Conditions = [new(i % 6, (SeccompOperator)(i % 6), (ulong)i << 30 | 3), new((i + 1) % 6, SeccompOperator.NotEqual, (ulong)i)] });
        var profile = new SeccompProfile(SeccompAction.Allow, rules) { Architectures = Enum.GetValues<SeccompArchitecture>() };
        FilterCompiler.Compile(profile, SeccompArchitecture.X64, 0).Length.Should().BeInRange(1000, Linux.BPF_MAXINSNS);
        FilterComparison.Compare(profile, SeccompArchitecture.X64, 0, new Random(3));
    }

    [Fact]
    public void A_profile_that_the_kernel_would_not_take_is_refused()
    {
        var rules = Enumerable.Range(0, 2000).Select(i => new SeccompRule(SeccompAction.Deny, "ioctl") { Conditions = [new(1, SeccompOperator.Equal, (ulong)i << 16)] });
        var profile = new SeccompProfile(SeccompAction.Allow, rules);
        var start = () => new IsolationOptions("/bin/true") { Security = { Seccomp = profile } }.Explain();
        start.Should().Throw<ArgumentException>().WithMessage("*instructions, of which the kernel takes 4096*");
    }

    [Theory]
    [InlineData(SeccompArchitecture.X64)]
    [InlineData(SeccompArchitecture.Arm64)]
    public void What_is_always_allowed_is_known_without_a_look_at_arguments(SeccompArchitecture native)
    {
        // The kernel follows the program up to the first load of anything else (seccomp_is_const_allow); then its bitmap has the call.
        var filter = FilterCompiler.Compile(SeccompProfile.Default, native, 0);
        var loads = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, sock_filter>(filter.Code).ToArray()
            .Count(static instruction => instruction.code == 0x20 && instruction.k >= BpfMachine.FirstArgument);
        loads.Should().BeGreaterThan(0).And.BeLessThan(20);
        filter.Length.Should().BeLessThan(150, "a short program is installed quickly");
    }

    [Fact]
    public void The_first_rule_that_fits_decides()
    {
        var profile = new SeccompProfile(SeccompAction.Deny, new SeccompRule(SeccompAction.Allow, "getpid"), new SeccompRule(SeccompAction.KillProcess, "getpid", "getppid"));
        Decide(profile, "getpid").Should().Be(SeccompAction.Allow);
        Decide(profile, "getppid").Should().Be(SeccompAction.KillProcess);
        Decide(profile.Denying("getpid"), "getpid").Should().Be(SeccompAction.Deny);
        Decide(profile.Denying("getpid").Allowing("getpid"), "getpid").Should().Be(SeccompAction.Allow);
        Decide(profile with { DefaultAction = SeccompAction.Log }, "gettid").Should().Be(SeccompAction.Log);
    }

    [Theory]
    [InlineData(SeccompArchitecture.X64)]
    [InlineData(SeccompArchitecture.Arm64)]
    public void The_default_profile_closes_what_is_dangerous(SeccompArchitecture native)
    {
        foreach (var name in (string[])["io_uring_setup", "io_uring_enter", "io_uring_register", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key",
                     "request_key", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "process_madvise", "mount", "umount2", "open_tree", "move_mount",
                     "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "open_tree_attr", "pivot_root", "setns", "kexec_load", "kexec_file_load", "init_module",
                     "finit_module", "delete_module", "open_by_handle_at", "reboot", "swapon", "swapoff", "acct", "quotactl", "chroot", "settimeofday",
                     "clock_settime", "sethostname", "syslog", "fanotify_init", "kcmp", "lookup_dcookie", "nfsservctl", "vhangup", "move_pages", "listns"])
            Decide(SeccompProfile.Default, name, native).Should().Be(SeccompAction.Deny, name);
        Decide(SeccompProfile.Default, "clone3", native).Should().Be(SeccompAction.Missing);
        Run(SeccompProfile.Default, native, 5000).Should().Be(SeccompAction.Missing, "programs are to fall back from what is new");
        foreach (var flag in (ulong[])[0x80, 0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000])
        {
            Decide(SeccompProfile.Default, "clone", native, flag | 17).Should().Be(SeccompAction.Deny);
            Decide(SeccompProfile.Default, "unshare", native, flag | 1ul << 40).Should().Be(SeccompAction.Deny);
        }

        Decide(SeccompProfile.Default, "clone", native, 0x3d0f00).Should().Be(SeccompAction.Allow, "these are a thread's flags");
        Decide(SeccompProfile.Default, "ioctl", native, 0, 0x5412).Should().Be(SeccompAction.Deny);
        Decide(SeccompProfile.Default, "ioctl", native, 0, 0x123ul << 32 | 0x5412).Should().Be(SeccompAction.Deny, "the kernel takes 32 bits");
        Decide(SeccompProfile.Default, "ioctl", native, 0, 0x541c).Should().Be(SeccompAction.Deny);
        Decide(SeccompProfile.Default, "ioctl", native, 0, 0x5413).Should().Be(SeccompAction.Allow);
        foreach (var family in (ulong[])[38, 40, 1ul << 32 | 38, 0, 29, 44]) Decide(SeccompProfile.Default, "socket", native, family).Should().Be(SeccompAction.Deny);
        foreach (var family in (ulong[])[1, 2, 10, 16]) Decide(SeccompProfile.Default, "socket", native, family).Should().Be(SeccompAction.Allow);
        foreach (var persona in (ulong[])[0, 8, 0x20000, 0x20008, 0xffffffff, ulong.MaxValue]) Decide(SeccompProfile.Default, "personality", native, persona).Should().Be(SeccompAction.Allow);
        foreach (var persona in (ulong[])[0x40000, 0x400000, 0x1000]) Decide(SeccompProfile.Default, "personality", native, persona).Should().Be(SeccompAction.Deny);
    }

    [Fact]
    public void A_capability_opens_the_calls_that_it_is_for()
    {
        Decide(SeccompProfile.Docker, "mount").Should().Be(SeccompAction.Deny);
        Decide(SeccompProfile.Docker, "mount", capabilities: SysAdmin).Should().Be(SeccompAction.Allow);
        Decide(SeccompProfile.Docker, "clone3").Should().Be(SeccompAction.Missing);
        Decide(SeccompProfile.Docker, "clone3", capabilities: SysAdmin).Should().Be(SeccompAction.Allow);
        Decide(SeccompProfile.Default, "sethostname", capabilities: SysAdmin).Should().Be(SeccompAction.Allow);
        Decide(SeccompProfile.Default, "mount", capabilities: ulong.MaxValue).Should().Be(SeccompAction.Deny, "the strict profile stays closed");
    }

    [Fact]
    public void A_profile_is_compiled_once()
    {
        var profile = SeccompProfile.Docker with { LogsDenials = true };
        var filter = profile.Compile(0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) profile.Compile(1).Should().BeSameAs(filter, "no rule asks for capability 0");
        profile.Compile(SysAdmin).Should().NotBeSameAs(filter);
        (profile with { LogsDenials = false }).Compile(0).Should().NotBeSameAs(filter);
        before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) profile.Compile(SysAdmin);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    [Theory]
    [InlineData("opnat", "openat")]
    [InlineData("OPEN", null)]
    [InlineData("getpidd", "getpid")]
    [InlineData("io_uring_steup", "io_uring_setup")]
    [InlineData("certainly_not_a_call", null)]
    public void A_name_that_no_Linux_has_is_refused_with_one_that_is_similar(string name, string? meant)
    {
        var rule = () => new SeccompRule(SeccompAction.Allow, "read", name);
        var message = rule.Should().Throw<ArgumentException>().WithMessage($"There is no syscall '{name}'.*").Which.Message;
        if (meant is not null) message.Should().Contain($"Is '{meant}' meant?");
        else message.Should().NotContain("meant?");
    }

    [Fact]
    public void A_rule_needs_names_and_arguments_that_there_are()
    {
        ((Action)(() => _ = new SeccompRule(SeccompAction.Allow))).Should().Throw<ArgumentException>();
        ((Action)(() => _ = new SeccompRule(SeccompAction.Allow, ""))).Should().Throw<ArgumentException>();
        ((Action)(() => _ = new SeccompCondition(6, SeccompOperator.Equal, 0))).Should().Throw<ArgumentOutOfRangeException>();
        ((Action)(() => _ = new SeccompCondition(-1, SeccompOperator.Equal, 0))).Should().Throw<ArgumentOutOfRangeException>();
        ((Action)(() => _ = new SeccompCondition(0, (SeccompOperator)6, 0))).Should().Throw<ArgumentOutOfRangeException>();
        ((Action)(() => SeccompAction.Errno(4096))).Should().Throw<ArgumentOutOfRangeException>();
        ((Action)(() => SeccompAction.Errno(-1))).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void A_profile_and_its_filter_can_be_read()
    {
        var profile = new SeccompProfile(SeccompAction.Deny, new SeccompRule(SeccompAction.Allow, "read", "write"),
            new SeccompRule(SeccompAction.Missing, "ioctl") { Conditions = [SeccompCondition.Low32(1, 0x5412), new(2, SeccompOperator.GreaterOrEqual, 7)] })
        { UnknownAction = SeccompAction.Missing, Architectures = [SeccompArchitecture.X86] };
        profile.ToString().Should().Be(
            """
            allow: read write
            errno ENOSYS: ioctl if arg1 & 0xffffffff == 0x5412 and arg2 >= 7
            errno EPERM: all other syscalls
            errno ENOSYS: syscalls of kernels newer than 6.18
            kill process: syscalls of other architectures than this machine's and X86

            """.ReplaceLineEndings("\n"));
        var text = FilterPrinter.Print(FilterCompiler.Compile(profile, SeccompArchitecture.X64, 0));
        text.Should().StartWith("       load architecture\n       if architecture == X64").And.Contain("load arg1.low").And.Contain("0x5412")
            .And.Contain("(ioctl)").And.Contain("return errno ENOSYS").And.Contain("return kill process");
        foreach (var line in text.Split('\n'))
            foreach (var label in line[Math.Min(line.Length, 7)..].Split(' ').Where(word => word.Length > 1 && word[0] == 'L' && char.IsDigit(word[1])))
                text.Should().Contain($"\n{label}:", "there is a line for each label");
    }

    private static SeccompAction Decide(SeccompProfile profile, string name, SeccompArchitecture native = SeccompArchitecture.X64, ulong first = 0, ulong second = 0, ulong capabilities = 0)
    {
        var number = SyscallNames.Number(name, native);
        return number < 0 ? SeccompAction.Deny : Run(profile, native, (uint)number, first, second, capabilities);
    }

    private static SeccompAction Run(SeccompProfile profile, SeccompArchitecture native, uint number, ulong first = 0, ulong second = 0, ulong capabilities = 0) =>
        SeccompAction.FromResult(BpfMachine.Run(FilterCompiler.Compile(profile, native, capabilities), FilterCompiler.Token(native), number, [first, second]));

    private static SeccompProfile Random(int seed)
    {
        var random = new Random(seed);
        string[] names = [.. SyscallNames.All.Order(StringComparer.Ordinal)];
        var rules = Enumerable.Range(0, random.Next(1, 40)).Select(_ => new SeccompRule(Any(s_actions), Enumerable.Range(0, random.Next(1, 12)).Select(_ => Any(names)))
        {
            Conditions = [.. Enumerable.Range(0, random.Next(3) == 0 ? 0 : random.Next(4)).Select(_ => Condition())],
            RequiredCapabilities = random.Next(4) == 0 ? 1ul << random.Next(6) : 0,
            ExcludedCapabilities = random.Next(6) == 0 ? 1ul << random.Next(6) : 0,
        });
        return new SeccompProfile(Any(s_actions), rules)
        {
            UnknownAction = random.Next(2) == 0 ? Any(s_actions) : null,
            ForeignAction = Any(s_actions),
            Architectures = [.. Enum.GetValues<SeccompArchitecture>().Where(_ => random.Next(2) == 0)],
        };

        T Any<T>(T[] values) => values[random.Next(values.Length)];

        SeccompCondition Condition() => new(random.Next(6), (SeccompOperator)random.Next(6), Number())
        {
            Mask = random.Next(4) switch { 0 => Number(), 1 => uint.MaxValue, 2 => (ulong)uint.MaxValue << 32, _ => ulong.MaxValue },
        };

        ulong Number() => random.Next(6) switch
        {
            0 => (ulong)random.Next(4),
            1 => 1ul << random.Next(64),
            2 => (1ul << random.Next(64)) - 1,
            3 => ulong.MaxValue - (ulong)random.Next(2),
            4 => (uint)random.Next(),
            _ => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
        };
    }
}
