namespace Isolation.Planning;

/// <summary>A line of /proc/PID/mountinfo. proc_pid_mountinfo(5).</summary>
/// <param name="Id">Its number, as long as it lives.</param>
/// <param name="Parent">The number of the mount it lies on.</param>
/// <param name="Point">Where it is, as seen from the root of the process.</param>
/// <param name="Flags">MS_RDONLY and so on.</param>
internal readonly record struct ListedMount(int Id, int Parent, string Point, ulong Flags);
