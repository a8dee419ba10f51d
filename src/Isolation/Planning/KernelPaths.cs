namespace Isolation.Planning;

/// <summary>
/// Files by which a process of the host's root, which an identity-mapped root is, with or without capabilities, could read or steer the
/// machine: the union of what runc, Docker and Podman mask.
/// </summary>
internal static class KernelPaths
{
    internal const string MaskFile = "mask a kernel file";
    internal const string MaskFolder = "mask a kernel folder";
    internal const string BindFolder = "bind a kernel folder to itself";

    internal const string Powercap = "/sys/devices/virtual/powercap", Firmware = "/sys/firmware", Debugfs = "/sys/kernel/debug", Tracefs = "/sys/kernel/tracing", Sysfs = "/sys";

    /// <summary>How much of a path of /proc is not its name there.</summary>
    private const int Prefix = 6;

    internal static readonly string[] Files =
        ["/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats"];

    internal static readonly string[] Folders = ["/proc/acpi", "/proc/asound", "/proc/scsi"];

    internal static readonly string[] ReadOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    private static readonly string[] s_all = [.. Files, .. Folders, Powercap, Firmware, Debugfs, Tracefs, .. ReadOnly, Sysfs];

    internal static string Name(string path) => path[Prefix..];

    /// <summary>Which of the paths were there and are closed, by the results of a plan's steps: bit n is the nth.</summary>
    internal static uint Closed(ReadOnlySpan<Step> steps, Launching.LaunchArena arena, int first)
    {
        var closed = 0u;
        for (var i = first; i < steps.Length; i++)
        {
            if (!ReferenceEquals(steps[i].Label, MaskFile) && !ReferenceEquals(steps[i].Label, MaskFolder) && !ReferenceEquals(steps[i].Label, BindFolder)) continue;
            var path = Array.IndexOf(s_all, steps[i].Path);
            if (path >= 0 && arena.Result(i) >= 0) closed |= 1u << path;
        }

        return closed;
    }

    internal static IEnumerable<string> Hidden(uint closed) => Of(closed, 0, s_all.Length - ReadOnly.Length - 1);

    internal static IEnumerable<string> Unwritable(uint closed) => Of(closed, s_all.Length - ReadOnly.Length - 1, s_all.Length);

    private static IEnumerable<string> Of(uint closed, int first, int end) => s_all[first..end].Where((_, i) => (closed >> (first + i) & 1) != 0);
}
