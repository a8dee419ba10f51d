using System.Globalization;
using Isolation.Interop;

namespace Isolation.Supervision;

/// <summary>The descendants of a process, by /proc.</summary>
internal static class ProcessTree
{
    /// <summary>The process, if there is one, and all below it, parents before their children.</summary>
    internal static List<int> Below(int root)
    {
        var found = new List<int> { root };
        Dictionary<int, List<int>>? all = null;
        for (var i = 0; i < found.Count; i++)
            if (!AddChildren(found[i], found)) Add(found, (all ??= All()).GetValueOrDefault(found[i]));
        if (State(root) is null) found.Remove(root);
        return found;
    }

    /// <summary>Such as 'T' for stopped (proc_pid_stat(5)), or null when there is no such process.</summary>
    internal static char? State(int pid) => Stat(pid)?.State;

    internal static bool Signal(int pid, int signal)
    {
        var pidfd = Kernel.pidfd_open(pid);
        if (pidfd < 0) return false;
        var result = Kernel.pidfd_send_signal(pidfd, signal);
        _ = Kernel.close(pidfd);
        return result == 0;
    }

    /// <summary>Its parent, or 0 when there is no such process.</summary>
    internal static int Parent(int pid) => Stat(pid)?.Parent ?? 0;

    /// <summary>It has called exit, or been killed, and is not a zombie yet: PF_EXITING in field 9 of proc_pid_stat(5).</summary>
    internal static bool IsExiting(int pid)
    {
        const int exiting = 4, flagsAfterName = 6;
        try
        {
            var text = File.ReadAllText(Path("stat", pid));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields.Length > flagsAfterName && (long.Parse(fields[flagsAfterName], CultureInfo.InvariantCulture) & exiting) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>The process that has this number now, or <c>default</c>.</summary>
    internal static Planning.ProcessStamp Stamp(int pid)
    {
        try
        {
            return Planning.ProcessStamp.Parse(File.ReadAllText(Path("stat", pid)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>The process that a thread belongs to, and the number that it has in its own PID namespace; the thread itself where nothing is told.</summary>
    internal static (int Process, int Inner) ProcessOf(int thread)
    {
        var (process, inner) = (thread, 0);
        try
        {
            foreach (var line in File.ReadLines(Path("status", thread)))
            {
                if (line.StartsWith("Tgid:", StringComparison.Ordinal)) process = int.Parse(line.AsSpan(5), CultureInfo.InvariantCulture);
                if (line.StartsWith("NStgid:", StringComparison.Ordinal)) inner = int.Parse(line.AsSpan(line.LastIndexOf('\t')), CultureInfo.InvariantCulture);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // it has ended meanwhile
        }

        return (process, inner);
    }

    /// <summary>False where the kernel was built without these files (CONFIG_PROC_CHILDREN).</summary>
    private static bool AddChildren(int pid, List<int> found)
    {
        try
        {
            foreach (var task in Directory.EnumerateDirectories(Path("task", pid)))
            {
                var text = File.ReadAllText(task + "/children");
                foreach (var number in text.AsSpan().Split(' '))
                    if (int.TryParse(text.AsSpan()[number], CultureInfo.InvariantCulture, out var child) && !found.Contains(child)) found.Add(child);
            }

            return true;
        }
        catch (FileNotFoundException)
        {
            return State(pid) is null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true; // it has ended meanwhile
        }
    }

    private static Dictionary<int, List<int>> All()
    {
        var children = new Dictionary<int, List<int>>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(folder.AsSpan("/proc/".Length), CultureInfo.InvariantCulture, out var pid) || Stat(pid) is not { } stat) continue;
            if (!children.TryGetValue(stat.Parent, out var list)) children[stat.Parent] = list = [];
            list.Add(pid);
        }

        return children;
    }

    private static (char State, int Parent)? Stat(int pid)
    {
        try
        {
            var text = File.ReadAllText(Path("stat", pid));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ', 3); // the name before may contain anything
            return (fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Path(string file, int pid) => string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{file}");

    private static void Add(List<int> found, List<int>? more)
    {
        foreach (var pid in more ?? [])
            if (!found.Contains(pid)) found.Add(pid);
    }
}
