using System.Globalization;
using Xunit;

namespace Isolation.Tests.Support;

/// <summary>What the host sees of processes, by its /proc.</summary>
internal static class HostView
{
    internal static readonly (Namespaces Namespace, string Link)[] Links =
    [
        (Namespaces.Mount, "mnt"), (Namespaces.Uts, "uts"), (Namespaces.Ipc, "ipc"), (Namespaces.Pid, "pid"), (Namespaces.Network, "net"),
        (Namespaces.User, "user"), (Namespaces.Cgroup, "cgroup"), (Namespaces.Time, "time"),
    ];

    /// <summary>Identity of a process's namespace, such as "mnt:[4026531841]".</summary>
    internal static string Namespace(int pid, string link) =>
        new FileInfo($"/proc/{pid}/ns/{link}").LinkTarget ?? throw new InvalidOperationException($"Process {pid} has no namespace {link}.");

    internal static string StatusField(int pid, string field)
    {
        var prefix = field + ":";
        foreach (var line in File.ReadLines($"/proc/{pid}/status"))
            if (line.StartsWith(prefix, StringComparison.Ordinal)) return line[prefix.Length..].Trim();
        throw new InvalidOperationException($"The status of process {pid} has no {field}.");
    }

    internal static string Read(int pid, string file) => File.ReadAllText($"/proc/{pid}/{file}");

    internal static bool Exists(int pid) => Directory.Exists($"/proc/{pid}");

    /// <summary>Open descriptors and what they are.</summary>
    internal static SortedDictionary<int, string> Descriptors(int pid)
    {
        var result = new SortedDictionary<int, string>();
        foreach (var path in Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd"))
            // not what a test in parallel has open to list the same folder
            if (new FileInfo(path).LinkTarget is { } target && target != $"/proc/{pid}/fd") result[int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)] = target;
        return result;
    }

    /// <summary>Every process, zombies included, that is in a PID namespace or in one below it that this user may look at.</summary>
    internal static List<int> ProcessesIn(string pidNamespace) => Processes(pid =>
    {
        try
        {
            return Namespace(pid, "pid") == pidNamespace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return false; // gone meanwhile, or another user's
        }
    });

    /// <summary>Children of this process that have ended and were not waited for.</summary>
    internal static List<int> Zombies() => Processes(static pid => Stat(pid) is { State: 'Z' } stat && stat.Parent == Environment.ProcessId);

    /// <summary>Every process of a process group.</summary>
    internal static List<int> ProcessesOfGroup(int group) => Processes(pid => Stat(pid) is { } stat && stat.Group == group && stat.State != 'Z');

    /// <summary>
    /// Waits until the program with this argument, which nobody else has, sleeps in the foreground of its terminal: before, a key would mean
    /// the shell.
    /// </summary>
    internal static Task UntilForeground(string argument) => Until(() => Isolation.TestHost.ProcessTable.WithArgument(argument).Any(static pid =>
    {
        try
        {
            var stat = Read(pid, "stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] == "S" && fields[2] == fields[5]; // the group, and that of the foreground
        }
        catch (IOException)
        {
            return false; // gone meanwhile
        }
    }), $"a program with the argument {argument} has the terminal");

    /// <summary>Waits until a condition about other processes holds, for which there is no event to wait for.</summary>
    internal static async Task Until(Func<bool> condition, string what)
    {
        var end = Environment.TickCount64 + 25_000; // less than the tests have, who would not say what they wait for
        while (!condition())
        {
            if (Environment.TickCount64 > end) throw new TimeoutException($"Never came true: {what}.");
            await Task.Delay(2, TestContext.Current.CancellationToken);
        }
    }

    private static List<int> Processes(Func<int, bool> condition)
    {
        var result = new List<int>();
        foreach (var path in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var pid) && condition(pid)) result.Add(pid);
        return result;
    }

    private static (char State, int Parent, int Group)? Stat(int pid)
    {
        try
        {
            var text = Read(pid, "stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture), int.Parse(fields[2], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null; // gone meanwhile
        }
    }
}
