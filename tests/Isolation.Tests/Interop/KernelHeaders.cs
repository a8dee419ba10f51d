using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Isolation.Interop;

namespace Isolation.Tests.Interop;

/// <summary>
/// Everything that src/Isolation/Interop declares, as claims about the kernel's headers. A constant, struct or syscall added
/// there is compared without a word here, unless its C name differs or Debian 12's headers are too old for it.
/// </summary>
internal static class KernelHeaders
{
    /// <summary>Names that headers of an older kernel lack, and the first kernel whose headers have them.</summary>
    private static readonly Dictionary<string, Version> s_later = new()
    {
        ["MFD_EXEC"] = new(6, 3),
        ["LANDLOCK_ACCESS_FS_TRUNCATE"] = new(6, 2),
        ["LANDLOCK_RULE_NET_PORT"] = new(6, 7),
        ["LANDLOCK_ACCESS_NET_BIND_TCP"] = new(6, 7),
        ["LANDLOCK_ACCESS_NET_CONNECT_TCP"] = new(6, 7),
        ["LANDLOCK_ACCESS_FS_IOCTL_DEV"] = new(6, 10),
        ["LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET"] = new(6, 12),
        ["LANDLOCK_SCOPE_SIGNAL"] = new(6, 12),
        ["LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF"] = new(6, 15),
        ["LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON"] = new(6, 15),
        ["LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF"] = new(6, 15),
        ["PIDFD_GET_CGROUP_NAMESPACE"] = new(6, 11),
        ["PIDFD_GET_IPC_NAMESPACE"] = new(6, 11),
        ["PIDFD_GET_MNT_NAMESPACE"] = new(6, 11),
        ["PIDFD_GET_NET_NAMESPACE"] = new(6, 11),
        ["PIDFD_GET_PID_NAMESPACE"] = new(6, 11),
        ["PIDFD_GET_TIME_NAMESPACE"] = new(6, 11),
        ["PIDFD_GET_USER_NAMESPACE"] = new(6, 11),
        ["PIDFD_GET_UTS_NAMESPACE"] = new(6, 11),
        ["PIDFD_GET_INFO"] = new(6, 13),
        ["PIDFD_INFO_EXIT"] = new(6, 15),
    };

    /// <summary>Constants that are not simply the C expression of the same name.</summary>
    private static readonly Dictionary<string, string> s_expressions = new()
    {
        // The request carries the size of the struct, which has grown since; we pass the first version.
        ["PIDFD_GET_INFO"] = "_IOC(_IOC_DIR(PIDFD_GET_INFO), _IOC_TYPE(PIDFD_GET_INFO), _IOC_NR(PIDFD_GET_INFO), PIDFD_INFO_SIZE_VER0)",
        ["SIG_IGN"] = "(long)SIG_IGN",
    };

    private static readonly Dictionary<Type, NativeStruct> s_structs = new()
    {
        [typeof(clone_args)] = new() { CType = "struct clone_args", Size = "CLONE_ARGS_SIZE_VER2" },
        [typeof(mount_attr)] = new() { CType = "struct mount_attr", Size = "MOUNT_ATTR_SIZE_VER0" },
        [typeof(siginfo)] = new() { CType = "siginfo_t" },
        [typeof(timespec)] = new() { CType = "struct __kernel_timespec" },
        [typeof(loop_config)] = new() { CType = "struct loop_config", Fields = { ["lo_flags"] = "info.lo_flags" } },
        [typeof(cap_header)] = new() { CType = "struct __user_cap_header_struct" },
        [typeof(kernel_sigaction)] = new()
        {
            CType = "struct sigaction", Fields = { ["handler"] = "sa_handler", ["flags"] = "sa_flags" }, Untyped = ["handler"],
        },
        [typeof(rusage)] = new()
        {
            CType = "struct rusage",
            Fields =
            {
                ["utime_sec"] = "ru_utime.tv_sec", ["utime_usec"] = "ru_utime.tv_usec",
                ["stime_sec"] = "ru_stime.tv_sec", ["stime_usec"] = "ru_stime.tv_usec", ["maxrss"] = "ru_maxrss",
            },
        },
        [typeof(cap_data)] = new()
        {
            CType = "struct cap_data_pair",
            Fields =
            {
                ["effective0"] = "data[0].effective", ["permitted0"] = "data[0].permitted", ["inheritable0"] = "data[0].inheritable",
                ["effective1"] = "data[1].effective", ["permitted1"] = "data[1].permitted", ["inheritable1"] = "data[1].inheritable",
            },
        },
        [typeof(statx)] = new()
        {
            CType = "struct statx", Fields = { ["stx_mtime_sec"] = "stx_mtime.tv_sec", ["stx_mtime_nsec"] = "stx_mtime.tv_nsec" },
        },
        [typeof(landlock_ruleset_attr)] = new()
        {
            CType = "struct landlock_ruleset_attr", Size = "(offsetof(struct landlock_ruleset_attr, scoped) + 8)", Since = new(6, 12), Macro = "LANDLOCK_SCOPE_SIGNAL",
        },
        [typeof(landlock_net_port_attr)] = new() { CType = "struct landlock_net_port_attr", Since = new(6, 7), Macro = "LANDLOCK_ACCESS_NET_BIND_TCP" },
        [typeof(msghdr)] = new() { CType = "struct msghdr", Untyped = ["msg_name", "msg_iov", "msg_control"] },
        [typeof(iovec)] = new() { CType = "struct iovec", Untyped = ["iov_base"] },
        [typeof(termios2)] = new() { CType = "struct termios2", Untyped = ["c_cc"] },
        [typeof(sock_fprog)] = new() { CType = "struct sock_fprog", Untyped = ["filter"] },
        [typeof(seccomp_data)] = new() { CType = "struct seccomp_data", Fields = { ["args"] = "args[0]" } },
        [typeof(pidfd_info)] = new()
        {
            CType = "struct pidfd_info", Size = "PIDFD_INFO_SIZE_VER0", Since = new(6, 15), Macro = "PIDFD_INFO_EXIT",
        },
    };

    /// <summary>Structs that are not one of the kernel's: the first is compared by hand, the second is the stub's.</summary>
    private static readonly Type[] s_notTheKernels = [typeof(EpollEvent), typeof(SpawnArguments)];

    // The C library's socket headers and the kernel's signal and time headers declare some things twice: two files.
    private static readonly string[] s_socketNames = ["AF_", "IFF_", "MSG_", "SCM_", "SO_", "SOCK_", "SOL_"];
    private static readonly string[] s_socketStructs = ["ifreq", "msghdr", "cmsghdr", "iovec", "sockaddr", "ucred"];

    private const string Common =
        """
        #include <stddef.h>
        #include <linux/version.h>
        """;

    private const string Headers = Common + "\n" +
        """
        #include <asm/ioctls.h>
        #include <asm/poll.h>
        #include <asm/statfs.h>
        #include <asm/termbits.h>
        #include <asm/termios.h>
        #include <asm/unistd.h>
        #include <linux/audit.h>
        #include <linux/capability.h>
        #include <linux/close_range.h>
        #include <linux/errno.h>
        #include <linux/eventpoll.h>
        #include <linux/fcntl.h>
        #include <linux/filter.h>
        #include <linux/futex.h>
        #include <linux/if_link.h>
        #include <linux/ioctl.h>
        #include <linux/ioprio.h>
        #include <linux/keyctl.h>
        #include <linux/landlock.h>
        #include <linux/loop.h>
        #include <linux/magic.h>
        #include <linux/memfd.h>
        #include <linux/mman.h>
        #include <linux/mount.h>
        #include <linux/netlink.h>
        #include <linux/nsfs.h>
        #include <linux/openat2.h>
        #include <linux/personality.h>
        #include <linux/pidfd.h>
        #include <linux/prctl.h>
        #include <linux/resource.h>
        #include <linux/rtnetlink.h>
        #include <linux/sched.h>
        #include <linux/seccomp.h>
        #include <linux/securebits.h>
        #include <linux/signal.h>
        #include <linux/sockios.h>
        #include <linux/stat.h>
        #include <linux/time.h>
        #include <linux/time_types.h>
        #include <linux/veth.h>
        #include <linux/wait.h>
        struct cap_data_pair { struct __user_cap_data_struct data[2]; };
        """;

    private const string SocketHeaders = Common + "\n" +
        """
        #include <sys/socket.h>
        #include <linux/if.h>
        """;

    /// <summary>The files to compile for one architecture.</summary>
    internal static CSource[] Sources(Architecture architecture) =>
    [
        new(Headers, [.. Constants(IsNoSocketName), .. Structs(IsNoSocketStruct), .. Errnos(), .. Syscalls(architecture), .. EpollEvents(architecture), .. OpenFlags(architecture)]),
        new(SocketHeaders, [.. Constants(name => !IsNoSocketName(name)), .. Structs(type => !IsNoSocketStruct(type))]),
    ];

    /// <summary>The names that are excused on older headers.</summary>
    internal static IEnumerable<string> LaterNames => s_later.Keys;

    private static bool IsNoSocketName(string name) => !s_socketNames.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    private static bool IsNoSocketStruct(Type type) => !s_socketStructs.Any(prefix => type.Name.StartsWith(prefix, StringComparison.Ordinal));

    internal static IEnumerable<FieldInfo> DeclaredConstants =>
        typeof(Linux).GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).Where(constant => constant.IsLiteral);

    private static IEnumerable<CAssertion> Constants(Func<string, bool> wanted) =>
        from field in DeclaredConstants
        where wanted(field.Name)
        let value = (IFormattable)field.GetRawConstantValue()!
        let suffix = field.FieldType == typeof(ulong) ? "ull" : field.FieldType == typeof(uint) ? "u" : field.FieldType == typeof(long) ? "ll" : ""
        let expression = s_expressions.GetValueOrDefault(field.Name, field.Name)
        let since = s_later.GetValueOrDefault(field.Name)
        select new CAssertion(field.Name, $"({expression}) == {value.ToString(null, CultureInfo.InvariantCulture)}{suffix}", since, field.Name);

    /// <summary>Every struct of the folder, so that none can be added that nobody compares.</summary>
    private static IEnumerable<CAssertion> Structs(Func<Type, bool> wanted) =>
        from type in typeof(Linux).Assembly.GetTypes()
        where type is { IsValueType: true, IsEnum: false, IsNested: false } && type.Namespace == typeof(Linux).Namespace
        where !s_notTheKernels.Contains(type) && wanted(type)
        from claim in s_structs.GetValueOrDefault(type, new NativeStruct { CType = "struct " + type.Name }).Compare(type)
        select claim;

    private static IEnumerable<CAssertion> Errnos() =>
        Enum.GetValues<Errno>().Select(errno => new CAssertion(errno.ToString(), $"{errno} == {(int)errno}"));

    private static IEnumerable<CAssertion> Syscalls(Architecture architecture)
    {
        var numbers = (architecture == Architecture.Arm64 ? SyscallTable.Arm64 : SyscallTable.X64).ToArray();
        return Enum.GetValues<Sys>().Select(call => new CAssertion($"__NR_{call}", $"__NR_{call} == {numbers[(int)call]}"));
    }

    private static IEnumerable<CAssertion> OpenFlags(Architecture architecture)
    {
        yield return new("O_DIRECTORY", $"O_DIRECTORY == {Linux.DirectoryFlag(architecture)}");
        yield return new("O_NOFOLLOW", $"O_NOFOLLOW == {Linux.NoFollowFlag(architecture)}");
        yield return new("O_TMPFILE", $"O_TMPFILE == {Linux.TemporaryFlag(architecture)}");
    }

    private static IEnumerable<CAssertion> EpollEvents(Architecture architecture)
    {
        var size = EpollEvent.SizeOn(architecture);
        yield return new("sizeof(epoll_event)", $"sizeof(struct epoll_event) == {size}");
        yield return new("offsetof(epoll_event, events)", "offsetof(struct epoll_event, events) == 0");
        yield return new("offsetof(epoll_event, data)", $"offsetof(struct epoll_event, data) == {size - sizeof(ulong)}");
    }
}
