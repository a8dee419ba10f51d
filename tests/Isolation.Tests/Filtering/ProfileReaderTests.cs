using FluentAssertions;
using Isolation.Filtering;
using Xunit;

namespace Isolation.Tests.Filtering;

/// <summary>Profiles in the JSON of Docker and of OCI runtimes.</summary>
public class ProfileReaderTests
{
    /// <summary>In the manner of moby's default.json, with something of every kind that it has.</summary>
    private const string InMobysForm = """
        {
          "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
          "archMap": [
            { "architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
            { "architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"] },
            { "architecture": "SCMP_ARCH_RISCV64", "subArchitectures": null }
          ],
          "syscalls": [
            { "names": ["read", "write", "openat", "execve", "exit_group", "futex", "ioctl", "prctl", "kill", "rt_sigreturn", "removexattrat", "statmount", "uname"],
              "action": "SCMP_ACT_ALLOW" },
            { "names": ["process_vm_readv", "process_vm_writev", "ptrace"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "4.8" } },
            { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 38, "op": "SCMP_CMP_LT" }] },
            { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 39, "op": "SCMP_CMP_EQ" }] },
            { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 40, "op": "SCMP_CMP_GT" }] },
            { "name": "personality", "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 0, "op": "SCMP_CMP_EQ" }] },
            { "name": "personality", "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 4294967295, "op": "SCMP_CMP_EQ" }] },
            { "names": ["swapcontext"], "action": "SCMP_ACT_ALLOW", "includes": { "arches": ["ppc64le"] } },
            { "names": ["modify_ldt", "arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": { "arches": ["amd64", "x32", "x86"] } },
            { "names": ["bpf", "clone", "clone3", "mount", "perf_event_open", "sethostname", "setns", "syslog", "umount2", "unshare"],
              "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_ADMIN"] } },
            { "names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ" }],
              "excludes": { "caps": ["CAP_SYS_ADMIN"], "arches": ["s390", "s390x"] } },
            { "names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 1, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ" }],
              "comment": "the other order", "includes": { "arches": ["s390", "s390x"] }, "excludes": { "caps": ["CAP_SYS_ADMIN"] } },
            { "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "excludes": { "caps": ["CAP_SYS_ADMIN"] } },
            { "names": ["chroot"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_CHROOT"] } },
            { "names": ["settimeofday", "clock_settime"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_TIME"] } },
            { "names": ["init_module"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_MODULE"] } },
            { "names": ["reboot"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_BOOT"] } },
            { "names": ["mbind"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_NICE"] } },
            { "names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_BPF"] } }
          ]
        }
        """;

    private static readonly string[] s_sample =
    [
        "read", "write", "openat", "execve", "exit_group", "futex", "ioctl", "prctl", "kill", "rt_sigreturn", "removexattrat", "statmount", "uname",
        "process_vm_readv", "process_vm_writev", "ptrace", "socket", "personality", "swapcontext", "modify_ldt", "arch_prctl", "bpf", "clone", "clone3",
        "mount", "perf_event_open", "sethostname", "setns", "syslog", "umount2", "unshare", "chroot", "settimeofday", "clock_settime", "mbind",
        // and what neither allows
        "keyctl", "io_uring_setup", "userfaultfd", "kexec_load", "init_module", "reboot", "pivot_root", "swapon", "listns", "file_getattr", "open_tree_attr",
    ];

    [Theory(Timeout = 60_000)]
    [InlineData(SeccompArchitecture.X64)]
    [InlineData(SeccompArchitecture.Arm64)]
    public async Task A_profile_of_Docker_decides_as_the_built_in_one_does(SeccompArchitecture native)
    {
        await Task.Yield(); // for the timeout
        var read = Read(InMobysForm, native: native);
        SeccompArchitecture[] architectures = native == SeccompArchitecture.X64
            ? [SeccompArchitecture.X64, SeccompArchitecture.X86, SeccompArchitecture.X32] : [SeccompArchitecture.Arm64, SeccompArchitecture.Arm];
        foreach (var capabilities in (ulong[])[0, 0xa80425fb /* Docker's 14 */, 1ul << 21, 1ul << 25, 1ul << 23 | 1ul << 39, ulong.MaxValue])
        {
            var ours = FilterCompiler.Compile(SeccompProfile.Docker, native, capabilities);
            var theirs = FilterCompiler.Compile(read, native, capabilities);
            foreach (var architecture in architectures)
            {
                var bit = architecture == SeccompArchitecture.X32 ? 0x40000000u : 0;
                var numbers = s_sample.Select(name => SyscallNames.Number(name, architecture)).Where(number => number >= 0).Select(number => (uint)number);
                foreach (var number in numbers.Append(5000u).Append(472u))
                {
                    foreach (var argument in (ulong[])[0, 1, 2, 8, 10, 16, 17, 37, 38, 39, 40, 41, 0xffffffff, 1ul << 32, 0x3d0f00, 0x10000011, 0x02000000, ulong.MaxValue])
                    {
                        // The sample has two of the five personalities only.
                        if (argument == 8 && SyscallNames.Name((int)number, architecture) == "personality") continue;
                        var token = FilterCompiler.Token(architecture);
                        SeccompAction.FromResult(BpfMachine.Run(ours, token, number | bit, [argument])).Should().Be(
                            SeccompAction.FromResult(BpfMachine.Run(theirs, token, number | bit, [argument])),
                            "of {0} {1} with {2:x} and capabilities {3:x}", architecture, SyscallNames.Name((int)number, architecture), argument, capabilities);
                    }
                }
            }
        }
    }

    [Fact]
    public void A_profile_of_an_OCI_runtime()
    {
        var profile = Read("""
            {
              "defaultAction": "SCMP_ACT_KILL_PROCESS",
              "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_MIPS64"],
              "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"],
              "listenerPath": "",
              "syscalls": [
                { "names": ["getcwd"], "action": "SCMP_ACT_ERRNO", "errnoRet": 19 },
                { "names": ["getpid"], "action": "SCMP_ACT_TRAP" },
                { "names": ["getppid"], "action": "SCMP_ACT_LOG" },
                { "names": ["gettid"], "action": "SCMP_ACT_TRACE", "errnoRet": 77 },
                { "names": ["getuid"], "action": "SCMP_ACT_NOTIFY" },
                { "names": ["getgid"], "action": "SCMP_ACT_KILL" },
                { "names": ["getegid"], "action": "SCMP_ACT_KILL_THREAD" },
                { "names": ["geteuid"], "action": "SCMP_ACT_ERRNO", "args": [] },
                { "names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [
                  { "index": 1, "value": 4294967295, "valueTwo": 21505, "op": "SCMP_CMP_MASKED_EQ" },
                  { "index": 0, "value": 2, "valueTwo": 0, "op": "SCMP_CMP_LE" } ] }
              ]
            }
            """);
        profile.Architectures.Should().Equal(SeccompArchitecture.X86);
        (profile.LogsDenials, profile.AllowsSpeculation).Should().Be((true, false));
        Decide(profile, "getcwd").Should().Be(SeccompAction.Errno(19));
        Decide(profile, "getpid").Should().Be(SeccompAction.Trap);
        Decide(profile, "getppid").Should().Be(SeccompAction.Log);
        Decide(profile, "gettid").Should().Be(SeccompAction.Trace(77));
        Decide(profile, "getuid").Should().Be(SeccompAction.Notify);
        Decide(profile, "getgid").Should().Be(SeccompAction.KillThread);
        Decide(profile, "getegid").Should().Be(SeccompAction.KillThread);
        Decide(profile, "geteuid").Should().Be(SeccompAction.Deny);
        Decide(profile, "mount").Should().Be(SeccompAction.KillProcess);
        Decide(profile, "ioctl", 2, 21505).Should().Be(SeccompAction.Allow);
        Decide(profile, "ioctl", 3, 21505).Should().Be(SeccompAction.KillProcess, "all comparisons must hold");
        Decide(profile, "ioctl", 2, 7ul << 32 | 21505).Should().Be(SeccompAction.Allow);
        Decide(profile, "listns").Should().Be(SeccompAction.Missing, "it is newer than all that is named");
    }

    [Fact]
    public void Rules_mean_what_they_mean_to_runc()
    {
        var profile = Read("""
            { "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
              { "names": ["dup"], "action": "SCMP_ACT_TRAP", "args": [{ "index": 0, "value": 1, "op": "SCMP_CMP_EQ" }] },
              { "names": ["dup"], "action": "SCMP_ACT_ALLOW" },
              { "names": ["dup3"], "action": "SCMP_ACT_ALLOW", "args": [
                { "index": 0, "value": 1, "op": "SCMP_CMP_EQ" }, { "index": 0, "value": 5, "op": "SCMP_CMP_EQ" } ] },
              { "names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1 },
              { "names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 3, "op": "SCMP_CMP_NE" }] },
              { "names": ["write"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "6.5" } },
              { "names": ["writev"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "6.1" } },
              { "names": ["pread64"], "action": "SCMP_ACT_ALLOW", "excludes": { "minKernel": "6.1" } },
              { "names": ["preadv"], "action": "SCMP_ACT_ALLOW", "excludes": { "minKernel": "6.2", "arches": ["arm64"] } },
              { "names": ["readv"], "action": "SCMP_ACT_ALLOW", "excludes": { "arches": ["amd64"] } }
            ] }
            """, kernel: new Version(6, 1, 99));
        Decide(profile, "dup", 1).Should().Be(SeccompAction.Allow, "a rule without comparisons is the wider one");
        Decide(profile, "dup3", 1).Should().Be(SeccompAction.Allow);
        Decide(profile, "dup3", 5).Should().Be(SeccompAction.Allow, "comparisons of one argument are alternatives");
        Decide(profile, "dup3", 2).Should().Be(SeccompAction.Deny);
        Decide(profile, "read", 4).Should().Be(SeccompAction.Allow, "a rule that says what would be without it is none");
        Decide(profile, "read", 3).Should().Be(SeccompAction.Deny);
        Decide(profile, "write").Should().Be(SeccompAction.Deny);
        Decide(profile, "writev").Should().Be(SeccompAction.Allow);
        Decide(profile, "pread64").Should().Be(SeccompAction.Deny);
        Decide(profile, "preadv").Should().Be(SeccompAction.Allow);
        Decide(profile, "readv").Should().Be(SeccompAction.Deny);
        Read("""{ "defaultAction": "SCMP_ACT_LOG" }""").UnknownAction.Should().BeNull("what is open stays open for what is new");
    }

    [Theory]
    [InlineData("""{ """, "no JSON (line 1)*")]
    [InlineData("""[]""", "the profile of the seccomp profile must be an object*")]
    [InlineData("""{}""", "defaultAction *is missing*")]
    [InlineData("""{ "defaultAction": 3 }""", "defaultAction *must be a text*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ALOW" }""", "defaultAction *'SCMP_ACT_ALOW'*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1 }""", "defaultErrnoRet *means nothing*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096 }""", "defaultErrnoRet *0 to 4095*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "syscals": [] }""", "syscals *no field*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "defaultAction": "SCMP_ACT_ALLOW" }""", "defaultAction *twice*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "listenerPath": "/run/x.sock" }""", "listenerPath *host itself*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "flags": ["SECCOMP_FILTER_FLAG_NEW"] }""", "flags[0] *SECCOMP_FILTER_FLAG_NEW*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X68"] }""", "architectures[0] *SCMP_ARCH_X68*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86"], "archMap": [] }""", "archMap *exclude*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": {} }""", "syscalls *array*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "names": ["read"] }] }""", "syscalls[0].action *missing*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "action": "SCMP_ACT_ALLOW" }] }""", "syscalls[0].names *missing*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "names": ["read", "opennat"], "action": "SCMP_ACT_ALLOW" }] }""", "syscalls[0].names[1] *'opennat'*'openat'*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "name": "read", "names": ["write"], "action": "SCMP_ACT_ALLOW" }] }""", "syscalls[0] *both*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "name": "read", "action": "SCMP_ACT_ALLOW", "args": [{ "index": 6, "op": "SCMP_CMP_EQ" }] }] }""", "syscalls[0].args[0].index *6*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "name": "read", "action": "SCMP_ACT_ALLOW", "args": [{ "op": "SCMP_CMP_EQ" }, { "op": "==" }] }] }""", "syscalls[0].args[1].op *'=='*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "name": "read", "action": "SCMP_ACT_ALLOW", "args": [{ "value": -1, "op": "SCMP_CMP_EQ" }] }] }""", "syscalls[0].args[0].value *whole number*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "name": "read", "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_ROOT"] } }] }""", "syscalls[0].includes.caps[0] *CAP_ROOT*")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "name": "read", "action": "SCMP_ACT_ALLOW", "excludes": { "minKernel": "5" } }] }""", "syscalls[0].excludes.minKernel *'5'*")]
    public void What_is_wrong_in_a_profile_is_said_with_its_place(string json, string message) =>
        ((Action)(() => SeccompProfile.Parse(json))).Should().Throw<FormatException>().Which.Message.Should().Match("*" + message);

    [Fact]
    public void What_is_unknown_can_be_passed_over()
    {
        const string json = """
            { "defaultAction": "SCMP_ACT_ERRNO", "later": 1, "architectures": ["SCMP_ARCH_X128"], "flags": ["SECCOMP_FILTER_FLAG_NEW"], "syscalls": [
              { "names": ["read", "call_of_tomorrow"], "action": "SCMP_ACT_ALLOW" },
              { "names": ["call_of_tomorrow"], "action": "SCMP_ACT_ALLOW" },
              { "names": ["write"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_TOMORROW"] } },
              { "names": ["writev"], "action": "SCMP_ACT_ALLOW", "excludes": { "caps": ["CAP_TOMORROW"] } }
            ] }
            """;
        var profile = SeccompProfile.Parse(json, ignoreUnknown: true);
        Decide(profile, "read").Should().Be(SeccompAction.Allow);
        Decide(profile, "write").Should().Be(SeccompAction.Deny, "nobody has that capability");
        Decide(profile, "writev").Should().Be(SeccompAction.Allow);
        ((Action)(() => SeccompProfile.Parse(json))).Should().Throw<FormatException>();
    }

    [Fact]
    public void A_profile_in_a_file()
    {
        using var folder = new Support.TemporaryFolder();
        Decide(SeccompProfile.Load(folder.File("profile.json", InMobysForm)), "keyctl").Should().Be(SeccompAction.Deny);
        ((Action)(() => SeccompProfile.Load(folder.Path + "/none.json"))).Should().Throw<IOException>();
    }

    private static SeccompProfile Read(string json, SeccompArchitecture native = SeccompArchitecture.X64, Version? kernel = null) =>
        ProfileReader.Read(json, ignoreUnknown: false, native, kernel ?? new Version(6, 18));

    /// <summary>On this machine, or as on an x64 one for profiles that were read so.</summary>
    private static SeccompAction Decide(SeccompProfile profile, string name, ulong first = 0, ulong second = 0) => SeccompAction.FromResult(BpfMachine.Run(
        FilterCompiler.Compile(profile, SeccompArchitecture.X64, 0), FilterCompiler.Token(SeccompArchitecture.X64),
        (uint)SyscallNames.Number(name, SeccompArchitecture.X64), [first, second]));
}
