namespace Isolation;

/// <summary>
/// The privileges that user 0 used to have as a whole, one bit each, as in linux/capability.h: bit n is capability n. The names
/// are those of capabilities(7). A bit beyond these stands for a capability of a newer kernel.
/// </summary>
[Flags]
public enum Capabilities : ulong
{
    /// <summary>No capability.</summary>
    None = 0,

    /// <summary>CAP_CHOWN. Change the owner and group of any file.</summary>
    Chown = 1ul << 0,

    /// <summary>CAP_DAC_OVERRIDE. Read, write and execute files whatever their permission bits say.</summary>
    DacOverride = 1ul << 1,

    /// <summary>CAP_DAC_READ_SEARCH. Read files and enter folders whatever their permission bits say; open_by_handle_at(2).</summary>
    DacReadSearch = 1ul << 2,

    /// <summary>CAP_FOWNER. Do to any file what only its owner may: chmod, utime, ACLs, deletion in sticky folders.</summary>
    FOwner = 1ul << 3,

    /// <summary>CAP_FSETID. Keep set-user-ID and set-group-ID bits when a file is changed.</summary>
    FSetId = 1ul << 4,

    /// <summary>CAP_KILL. Send signals to any process.</summary>
    Kill = 1ul << 5,

    /// <summary>CAP_SETGID. Change group ids and supplementary groups at will; map groups of a user namespace.</summary>
    SetGid = 1ul << 6,

    /// <summary>CAP_SETUID. Change user ids at will; map users of a user namespace.</summary>
    SetUid = 1ul << 7,

    /// <summary>CAP_SETPCAP. Drop capabilities from the bounding set, add inheritable ones from it, change securebits.</summary>
    SetPCap = 1ul << 8,

    /// <summary>CAP_LINUX_IMMUTABLE. Set the immutable and append-only flags of files.</summary>
    LinuxImmutable = 1ul << 9,

    /// <summary>CAP_NET_BIND_SERVICE. Bind to ports below 1024.</summary>
    NetBindService = 1ul << 10,

    /// <summary>CAP_NET_BROADCAST. Socket broadcasts and multicast (unused by the kernel).</summary>
    NetBroadcast = 1ul << 11,

    /// <summary>CAP_NET_ADMIN. Configure the network: interfaces, addresses, routes, firewall.</summary>
    NetAdmin = 1ul << 12,

    /// <summary>CAP_NET_RAW. Raw and packet sockets; bind to any address for transparent proxying.</summary>
    NetRaw = 1ul << 13,

    /// <summary>CAP_IPC_LOCK. Lock memory without limit.</summary>
    IpcLock = 1ul << 14,

    /// <summary>CAP_IPC_OWNER. Use System V IPC objects whatever their permissions say.</summary>
    IpcOwner = 1ul << 15,

    /// <summary>CAP_SYS_MODULE. Load and unload kernel modules.</summary>
    SysModule = 1ul << 16,

    /// <summary>CAP_SYS_RAWIO. I/O ports, /proc/kcore, raw access to devices and memory.</summary>
    SysRawIo = 1ul << 17,

    /// <summary>CAP_SYS_CHROOT. chroot(2); enter mount namespaces.</summary>
    SysChroot = 1ul << 18,

    /// <summary>CAP_SYS_PTRACE. Trace any process and read and write its memory.</summary>
    SysPTrace = 1ul << 19,

    /// <summary>CAP_SYS_PACCT. Switch process accounting on and off.</summary>
    SysPAcct = 1ul << 20,

    /// <summary>CAP_SYS_ADMIN. Mounts, namespaces and much else: close to everything.</summary>
    SysAdmin = 1ul << 21,

    /// <summary>CAP_SYS_BOOT. reboot(2) and kexec_load(2).</summary>
    SysBoot = 1ul << 22,

    /// <summary>CAP_SYS_NICE. Raise priorities, real-time scheduling, affinity and memory placement of any process.</summary>
    SysNice = 1ul << 23,

    /// <summary>CAP_SYS_RESOURCE. Exceed and raise resource limits and quotas, lower the OOM score.</summary>
    SysResource = 1ul << 24,

    /// <summary>CAP_SYS_TIME. Set the clocks.</summary>
    SysTime = 1ul << 25,

    /// <summary>CAP_SYS_TTY_CONFIG. vhangup(2) and privileged terminal settings.</summary>
    SysTtyConfig = 1ul << 26,

    /// <summary>CAP_MKNOD. Make device nodes.</summary>
    MkNod = 1ul << 27,

    /// <summary>CAP_LEASE. Leases on any file.</summary>
    Lease = 1ul << 28,

    /// <summary>CAP_AUDIT_WRITE. Write to the kernel's audit log.</summary>
    AuditWrite = 1ul << 29,

    /// <summary>CAP_AUDIT_CONTROL. Configure kernel auditing.</summary>
    AuditControl = 1ul << 30,

    /// <summary>CAP_SETFCAP. Give files capabilities; map user 0 of the outer user namespace (Linux 5.12).</summary>
    SetFCap = 1ul << 31,

    /// <summary>CAP_MAC_OVERRIDE. Override mandatory access control (Smack).</summary>
    MacOverride = 1ul << 32,

    /// <summary>CAP_MAC_ADMIN. Configure mandatory access control (Smack).</summary>
    MacAdmin = 1ul << 33,

    /// <summary>CAP_SYSLOG. The kernel's log, and its addresses in /proc.</summary>
    Syslog = 1ul << 34,

    /// <summary>CAP_WAKE_ALARM. Timers that wake the machine up.</summary>
    WakeAlarm = 1ul << 35,

    /// <summary>CAP_BLOCK_SUSPEND. Keep the machine from suspending.</summary>
    BlockSuspend = 1ul << 36,

    /// <summary>CAP_AUDIT_READ. Read the audit log through netlink. Linux 3.16.</summary>
    AuditRead = 1ul << 37,

    /// <summary>CAP_PERFMON. perf_event_open(2) and other performance monitoring. Linux 5.8.</summary>
    PerfMon = 1ul << 38,

    /// <summary>CAP_BPF. Privileged BPF operations. Linux 5.8.</summary>
    Bpf = 1ul << 39,

    /// <summary>CAP_CHECKPOINT_RESTORE. Checkpoint and restore processes: choose their pids. Linux 5.9.</summary>
    CheckpointRestore = 1ul << 40,

    /// <summary>
    /// All there are to have: with a user namespace every one that this kernel knows, without one those that the host process has.
    /// </summary>
    All = ulong.MaxValue,
}
