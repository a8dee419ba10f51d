using Isolation.Interop;

namespace Isolation.Filtering;

/// <summary>The profiles that come with the library.</summary>
internal static class BuiltInProfiles
{
    private const ulong NewNamespaces = 0x7e020080; // CLONE_NEW*: NEWTIME is a bit of clone's exit signal, which no signal has
    private const ulong NewNamespacesOfDocker = 0x7e020000;

    private const ulong DacReadSearch = 1ul << Linux.CAP_DAC_READ_SEARCH, SysAdmin = 1ul << Linux.CAP_SYS_ADMIN, SysTime = 1ul << Linux.CAP_SYS_TIME;
    private static readonly ulong s_chroot = Bit("CAP_SYS_CHROOT");

    // What an exec domain may be: Linux, Linux with the looks of 2.6 (UNAME26), each also for 32-bit names of the machine
    // (PER_LINUX32), and the question what it is. Others switch protections off: ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC, …
    private static readonly uint[] s_personalities = [0, 8, 0x20000, 0x20008, 0xffffffff];

    internal static SeccompProfile Default { get; } = new(SeccompAction.Deny, DefaultRules()) { UnknownAction = SeccompAction.Missing };

    internal static SeccompProfile Docker { get; } = new(SeccompAction.Deny, DockerRules())
    {
        UnknownAction = SeccompAction.Missing,
        Architectures = [SeccompArchitecture.X86, SeccompArchitecture.X32, SeccompArchitecture.Arm],
    };

    private static IEnumerable<SeccompRule> DefaultRules()
    {
        // A lease on a file of the host, for which reading is enough, keeps others waiting that open it to write.
        yield return Deny("fcntl", "fcntl64") with { Conditions = [SeccompCondition.Low32(1, Linux.F_SETLEASE)] };
        foreach (var group in SyscallGroups.Ordinary) yield return Allow(group);
        yield return Allow("file_getattr", "file_setattr", "rseq_slice_yield", "uprobe");

        // The flags of clone3 are behind a pointer; told that it is missing, C libraries use clone, whose flags can be seen.
        yield return new SeccompRule(SeccompAction.Missing, "clone3");
        yield return Allow("clone", "unshare") with { Conditions = [SeccompCondition.MaskedEqual(0, NewNamespaces, 0)] };

        // Input faked to a terminal that the sandbox shares with the host (CVE-2017-5226, CVE-2023-28100).
        yield return Deny("ioctl") with { Conditions = [SeccompCondition.Low32(1, Linux.TIOCSTI)] };
        yield return Deny("ioctl") with { Conditions = [SeccompCondition.Low32(1, Linux.TIOCLINUX)] };
        yield return Allow("ioctl");

        // Not AF_ALG, AF_VSOCK (no network namespace separates those) and all that is seldom used and seldom looked at.
        foreach (var family in (int[])[Linux.AF_UNIX, Linux.AF_INET, Linux.AF_INET6, Linux.AF_NETLINK, Linux.AF_PACKET])
            yield return Allow("socket", "socketpair") with { Conditions = [SeccompCondition.Low32(0, (uint)family)] };
        foreach (var personality in s_personalities)
            yield return Allow("personality") with { Conditions = [SeccompCondition.Low32(0, personality)] };

        // Whoever is given these capabilities is to be able to use them; what the others are for stays closed.
        yield return Allow("chroot") with { RequiredCapabilities = s_chroot };
        yield return Allow("clock_settime", "clock_settime64", "settimeofday", "stime") with { RequiredCapabilities = SysTime };
        yield return Allow("sethostname", "setdomainname") with { RequiredCapabilities = SysAdmin };
    }

    private static IEnumerable<SeccompRule> DockerRules()
    {
        foreach (var group in SyscallGroups.Ordinary) yield return Allow(group);
        yield return Allow("ioctl", "socketpair", "epoll_ctl_old", "epoll_wait_old", "fanotify_mark", "memfd_secret", "process_mrelease", "modify_ldt", "riscv_hwprobe");
        yield return Allow("process_vm_readv", "process_vm_writev", "ptrace"); // since Linux 4.8
        yield return Allow("socket") with { Conditions = [new SeccompCondition(0, SeccompOperator.Less, Linux.AF_ALG)] };
        yield return Allow("socket") with { Conditions = [new SeccompCondition(0, SeccompOperator.Equal, Linux.AF_ALG + 1)] };
        yield return Allow("socket") with { Conditions = [new SeccompCondition(0, SeccompOperator.Greater, Linux.AF_VSOCK)] };
        foreach (var personality in s_personalities)
            yield return Allow("personality") with { Conditions = [new SeccompCondition(0, SeccompOperator.Equal, personality)] };

        yield return Allow("open_by_handle_at") with { RequiredCapabilities = DacReadSearch };
        yield return Allow("bpf", "clone", "clone3", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick", "lookup_dcookie", "lsm_get_self_attr",
            "lsm_list_modules", "lsm_set_self_attr", "mount", "mount_setattr", "move_mount", "open_tree", "perf_event_open", "quotactl", "quotactl_fd",
            "setdomainname", "sethostname", "setns", "syslog", "umount", "umount2", "unshare") with { RequiredCapabilities = SysAdmin };
        yield return Allow("clone") with { Conditions = [SeccompCondition.MaskedEqual(0, NewNamespacesOfDocker, 0)], ExcludedCapabilities = SysAdmin };
        yield return new SeccompRule(SeccompAction.Missing, "clone3") { ExcludedCapabilities = SysAdmin };
        yield return Allow("reboot") with { RequiredCapabilities = Bit("CAP_SYS_BOOT") };
        yield return Allow("chroot") with { RequiredCapabilities = s_chroot };
        yield return Allow("delete_module", "init_module", "finit_module") with { RequiredCapabilities = Bit("CAP_SYS_MODULE") };
        yield return Allow("acct") with { RequiredCapabilities = Bit("CAP_SYS_PACCT") };
        yield return Allow("kcmp", "pidfd_getfd", "process_madvise") with { RequiredCapabilities = Bit("CAP_SYS_PTRACE") };
        yield return Allow("iopl", "ioperm") with { RequiredCapabilities = Bit("CAP_SYS_RAWIO") };
        yield return Allow("settimeofday", "stime", "clock_settime", "clock_settime64") with { RequiredCapabilities = SysTime };
        yield return Allow("vhangup") with { RequiredCapabilities = Bit("CAP_SYS_TTY_CONFIG") };
        yield return Allow("get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node") with { RequiredCapabilities = Bit("CAP_SYS_NICE") };
        yield return Allow("syslog") with { RequiredCapabilities = Bit("CAP_SYSLOG") };
        yield return Allow("bpf") with { RequiredCapabilities = Bit("CAP_BPF") };
        yield return Allow("perf_event_open") with { RequiredCapabilities = Bit("CAP_PERFMON") };
        // runc says so of what is newer than the newest call that a profile names.
        yield return new SeccompRule(SeccompAction.Missing, "open_tree_attr", "file_getattr", "file_setattr", "listns", "rseq_slice_yield");
    }

    private static SeccompRule Allow(params string[] syscalls) => new(SeccompAction.Allow, syscalls);

    private static SeccompRule Deny(params string[] syscalls) => new(SeccompAction.Deny, syscalls);

    private static ulong Bit(string capability) => 1ul << CapabilityNames.Number(capability);
}
