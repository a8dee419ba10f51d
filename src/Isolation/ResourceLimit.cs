namespace Isolation;

/// <summary>What a process may use of something, by the names of getrlimit(2); the numbers are the kernel's.</summary>
public enum ResourceLimit
{
    /// <summary>RLIMIT_CPU. Seconds of CPU time of a process. Past the soft limit it gets SIGXCPU each second, at the hard one SIGKILL.</summary>
    CpuTime = 0,

    /// <summary>RLIMIT_FSIZE. Bytes in a file that is written. What goes beyond fails with EFBIG, after a SIGXFSZ.</summary>
    FileSize = 1,

    /// <summary>RLIMIT_DATA. Bytes of data, heap and private writable mappings.</summary>
    Data = 2,

    /// <summary>RLIMIT_STACK. Bytes of the main thread's stack, and of arguments and environment four times less.</summary>
    Stack = 3,

    /// <summary>RLIMIT_CORE. Bytes of a core dump; 0 for none. A pipe in kernel.core_pattern ignores it but for 0 and 1.</summary>
    CoreDump = 4,

    /// <summary>RLIMIT_RSS. Bytes of resident memory. Has no effect since Linux 2.4.30.</summary>
    ResidentSet = 5,

    /// <summary>
    /// RLIMIT_NPROC. Processes and threads of the program's user, counted for the user on the host, all sandboxes together, and in each
    /// user namespace for what lies below it (Linux 5.14). Not for user 0 of the host, nor with CAP_SYS_ADMIN or CAP_SYS_RESOURCE.
    /// </summary>
    Processes = 6,

    /// <summary>RLIMIT_NOFILE. One more than the highest descriptor that can be had; what is open beyond stays open.</summary>
    OpenFiles = 7,

    /// <summary>RLIMIT_MEMLOCK. Bytes that may be locked into memory.</summary>
    LockedMemory = 8,

    /// <summary>RLIMIT_AS. Bytes of address space. Runtimes that reserve much and use little, .NET among them, do not start with little.</summary>
    AddressSpace = 9,

    /// <summary>RLIMIT_LOCKS. Has no effect since Linux 2.4.25.</summary>
    FileLocks = 10,

    /// <summary>RLIMIT_SIGPENDING. Signals that may be queued for the user.</summary>
    PendingSignals = 11,

    /// <summary>RLIMIT_MSGQUEUE. Bytes in POSIX message queues of the user.</summary>
    MessageQueues = 12,

    /// <summary>RLIMIT_NICE. 20 minus the lowest nice value that may be asked for: 1 to 40.</summary>
    Nice = 13,

    /// <summary>RLIMIT_RTPRIO. The highest real-time priority that may be asked for.</summary>
    RealTimePriority = 14,

    /// <summary>RLIMIT_RTTIME. Microseconds of CPU time that a real-time thread may use without a blocking call.</summary>
    RealTime = 15,
}
