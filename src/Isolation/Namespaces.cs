namespace Isolation;

/// <summary>The kinds of Linux namespaces, see namespaces(7): each gives a process a view of its own of one kind of resource.</summary>
[Flags]
public enum Namespaces
{
    /// <summary>None: the program sees what the host sees.</summary>
    None = 0,

    /// <summary>Mounts: a file tree of its own. mount_namespaces(7).</summary>
    Mount = 1 << 0,

    /// <summary>Host name and NIS domain name. uts_namespaces(7).</summary>
    Uts = 1 << 1,

    /// <summary>System V IPC objects and POSIX message queues. ipc_namespaces(7).</summary>
    Ipc = 1 << 2,

    /// <summary>Process ids: the program is process 1 and sees only its own descendants. pid_namespaces(7).</summary>
    Pid = 1 << 3,

    /// <summary>Network interfaces, addresses, routes, ports: nothing but loopback. network_namespaces(7).</summary>
    Network = 1 << 4,

    /// <summary>User and group ids and capabilities. user_namespaces(7).</summary>
    User = 1 << 5,

    /// <summary>The control group root that is visible. cgroup_namespaces(7).</summary>
    Cgroup = 1 << 6,

    /// <summary>Offsets of the monotonic and boot clocks. time_namespaces(7).</summary>
    Time = 1 << 7,

    /// <summary>All but <see cref="Time"/>: what a container has.</summary>
    Default = Mount | Uts | Ipc | Pid | Network | User | Cgroup,

    /// <summary>All eight.</summary>
    All = Default | Time,
}
