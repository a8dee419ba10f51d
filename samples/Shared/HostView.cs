using System.Globalization;

namespace Isolation.Samples;

/// <summary>What the host sees, of itself and of a process in a sandbox. All of it is in /proc, see proc(5).</summary>
internal static class HostView
{
    /// <summary>The eight kinds: what we call them, their names in /proc/PID/ns, and the flag.</summary>
    internal static IReadOnlyList<(string Name, string Link, Namespaces Flag)> Kinds { get; } =
    [
        ("pid", "pid", Namespaces.Pid), ("mount", "mnt", Namespaces.Mount), ("uts", "uts", Namespaces.Uts), ("ipc", "ipc", Namespaces.Ipc),
        ("network", "net", Namespaces.Network), ("user", "user", Namespaces.User), ("cgroup", "cgroup", Namespaces.Cgroup), ("time", "time", Namespaces.Time),
    ];

    /// <summary>The kinds of namespaces this kernel was built with.</summary>
    internal static Namespaces Supported { get; } =
        Kinds.Where(kind => File.Exists("/proc/self/ns/" + kind.Link)).Aggregate(Namespaces.None, (all, kind) => all | kind.Flag);

    internal static string HostName => File.ReadAllText("/proc/sys/kernel/hostname").Trim();

    internal static int MountCount => File.ReadLines("/proc/self/mountinfo").Count();

    internal static IEnumerable<string> Interfaces =>
        from line in File.ReadLines("/proc/net/dev").Skip(2)
        select line[..line.IndexOf(':', StringComparison.Ordinal)].Trim();

    internal static TimeSpan Uptime => Seconds(File.ReadAllText("/proc/uptime"));

    /// <summary>The number of processes, threads not counted.</summary>
    internal static int ProcessCount => ProcessIds().Count();

    /// <summary>A line of /proc/PID/status, without its name; "self" for this process.</summary>
    internal static string Status(string process, string name)
    {
        var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.Ordinal));
        return line is null ? "-" : line[(name.Length + 1)..].Trim().Replace('\t', ' ');
    }

    /// <summary>The number, an inode, by which the kernel tells namespaces of a kind from each other.</summary>
    internal static string NamespaceNumber(string process, string link)
    {
        var target = new FileInfo($"/proc/{process}/ns/{link}").LinkTarget;
        return target is null ? "-" : target[(target.IndexOf('[', StringComparison.Ordinal) + 1)..^1];
    }

    /// <summary>The processes that live in the PID namespace of the given one, with their programs' names.</summary>
    internal static List<(int Id, string Name)> Neighbours(int processId)
    {
        var number = NamespaceNumber(Text(processId), "pid");
        return Named(id => NamespaceNumber(Text(id), "pid") == number);
    }

    /// <summary>All processes that this one can see, with their programs' names.</summary>
    internal static List<(int Id, string Name)> Visible() => Named(static _ => true);

    private static List<(int Id, string Name)> Named(Func<int, bool> isWanted)
    {
        var result = new List<(int, string)>();
        foreach (var id in ProcessIds())
        {
            try
            {
                if (isWanted(id)) result.Add((id, File.ReadAllText($"/proc/{id}/comm").Trim()));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another user's process, or one that has just ended.
            }
        }

        result.Sort();
        return result;
    }

    internal static bool Exists(int processId) => Directory.Exists($"/proc/{processId}");

    /// <summary>The group of a hierarchy, given as the part before the path in /proc/PID/cgroup.</summary>
    internal static string ControlGroup(string process, string hierarchy) =>
        File.ReadLines($"/proc/{process}/cgroup").FirstOrDefault(line => line.StartsWith(hierarchy, StringComparison.Ordinal)) is { } line
            ? line[hierarchy.Length..]
            : "-";

    /// <summary>A hierarchy in which this process is not in the root group, if there is one: there a cgroup namespace shows.</summary>
    internal static string TellingHierarchy()
    {
        var lines = File.ReadAllLines("/proc/self/cgroup");
        var line = lines.FirstOrDefault(line => !line.EndsWith(":/", StringComparison.Ordinal)) ?? lines.LastOrDefault() ?? "0::/";
        return line[..(line.IndexOf(':', line.IndexOf(':', StringComparison.Ordinal) + 1) + 1)];
    }

    internal static TimeSpan Seconds(string text) => TimeSpan.FromSeconds(double.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture));

    internal static string Spoken(TimeSpan time) => time switch
    {
        { TotalDays: >= 2 } => $"{time.Days} days, {time.Hours} h",
        { TotalHours: >= 2 } => $"{(int)time.TotalHours} h, {time.Minutes} min",
        { TotalMinutes: >= 2 } => $"{(int)time.TotalMinutes} min, {time.Seconds} s",
        _ => $"{(int)time.TotalSeconds} s",
    };

    internal static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The first few of a list, and how many more there are.</summary>
    internal static string Few(IEnumerable<string> values, int count = 3)
    {
        var all = values.ToList();
        return string.Join(", ", all.Take(count)) + (all.Count > count ? $" + {all.Count - count} more" : "");
    }

    private static IEnumerable<int> ProcessIds()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) yield return id;
    }
}
