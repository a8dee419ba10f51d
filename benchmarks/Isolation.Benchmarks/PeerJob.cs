namespace Isolation.Benchmarks;

/// <summary>
/// A root put together from four folders, with /proc, /dev and /tmp, in pid, mount, uts, ipc and cgroup namespaces, and without
/// any capability.
/// </summary>
/// <param name="Name">Part of names that must be unique.</param>
/// <param name="User">In a user namespace. Ordinary users are anyway.</param>
/// <param name="Network">In a network namespace, with its loopback up.</param>
internal readonly record struct PeerJob(string Name, bool User, bool Network)
{
    internal bool InUser => User || !Environment.IsPrivilegedProcess;
}
