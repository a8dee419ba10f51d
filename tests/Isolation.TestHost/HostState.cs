using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Isolation.Interop;
using Isolation.Launching;
using Isolation.Supervision;

namespace Isolation.TestHost;

/// <summary>
/// Everything about this process that a start could change and must not: one line for each thing, to be compared before and
/// after. Threads and descriptors of the runtime's own pool are left out, as they come and go by themselves.
/// </summary>
internal static class HostState
{
    private static readonly string[] s_status =
        ["Umask", "Uid", "Gid", "Groups", "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "THP_enabled"];

    internal static string Take()
    {
        var text = new StringBuilder();
        foreach (var line in File.ReadLines("/proc/self/status"))
            if (s_status.Contains(line[..line.IndexOf(':')])) text.AppendLine(line);
        var mask = File.ReadLines("/proc/thread-self/status").First(line => line.StartsWith("SigBlk", StringComparison.Ordinal));
        text.Append("mask of this thread ").AppendLine(mask);
        text.Append("cwd ").AppendLine(new FileInfo("/proc/self/cwd").LinkTarget);
        text.Append("dumpable ").Append(Native.prctl(Native.PR_GET_DUMPABLE, 0, 0, 0, 0)).AppendLine();
        text.Append("oom_score_adj ").Append(File.ReadAllText("/proc/self/oom_score_adj"));
        foreach (var thread in Threads()) text.Append("thread ").AppendLine(thread);
        text.Append("children");
        foreach (var pid in Children().Order()) text.Append(' ').Append(pid == ParentExitGuard.CurrentProcessId ? "guard" : pid.ToString(null, null));
        text.AppendLine();
        foreach (var target in Descriptors()) text.Append("fd ").AppendLine(target);
        text.Append("guarded ").Append(Guarded()).AppendLine();
        foreach (var name in DetachedNames()) text.Append("detached ").AppendLine(name);
        text.Append("entries of the event loop ").Append(Used(EventLoop.Instance, "_indices")).AppendLine();
        text.Append("entries of the guard ").Append(Used(null, "s_slots")).AppendLine();
        text.Append(File.ReadAllText("/proc/self/mountinfo"));
        return text.ToString();
    }

    /// <summary>The kernel takes a moment to forget a child that nobody has to reap; nothing else may need one.</summary>
    internal static void ExpectSame(string before, string after)
    {
        var end = Environment.TickCount64 + 5000;
        string now;
        while ((now = Take()) != before && Environment.TickCount64 < end) Thread.Sleep(1);
        ExpectSame(before, now, after);
    }

    internal static void ExpectSame(string before, string now, string after)
    {
        if (now == before) return;
        var (old, current) = (Numbered(before), Numbered(now));
        throw new InvalidOperationException(
            $"{after} has changed the host:\n- {string.Join("\n- ", old.Except(current))}\n+ {string.Join("\n+ ", current.Except(old))}");
    }

    /// <summary>A line that is there twice differs from one that is there once.</summary>
    private static List<string> Numbered(string state) =>
        [.. state.Split('\n').GroupBy(line => line).SelectMany(group => group.Select((line, i) => i == 0 ? line : $"{line} ({i + 1})"))];

    /// <summary>
    /// Number and name of each thread that is not the runtime's. One that the runtime has just made still has the name of the
    /// thread that asked for it, and so for a moment there are two of that name.
    /// </summary>
    private static List<string> Threads()
    {
        for (var patience = 1000; ; patience--)
        {
            var (found, names) = (new List<string>(), new List<string>());
            foreach (var task in Directory.GetDirectories("/proc/self/task").Order(StringComparer.Ordinal))
            {
                var name = Read(task + "/comm").Trim();
                if (name.Length == 0 || name.StartsWith(".NET", StringComparison.Ordinal)) continue;
                found.Add(Path.GetFileName(task) + " " + name);
                names.Add(name);
            }

            if (names.Distinct().Count() == names.Count || patience == 0) return found;
            Thread.Sleep(1);
        }
    }

    /// <summary>Children of any thread, zombies included.</summary>
    internal static List<int> Children()
    {
        var found = new List<int>();
        if (File.Exists("/proc/thread-self/children"))
        {
            foreach (var task in Directory.EnumerateDirectories("/proc/self/task"))
                foreach (var child in Read(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    found.Add(int.Parse(child, null));
            return found;
        }

        // The kernel was built without CONFIG_PROC_CHILDREN.
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(path), out var pid)) continue;
            var stat = Read(path + "/stat");
            // Field 4, after the name in parentheses and the state, is the parent.
            if (stat.Length > 0 && int.Parse(stat[(stat.LastIndexOf(')') + 4)..].Split(' ', 2)[0], null) == Environment.ProcessId) found.Add(pid);
        }

        return found;
    }

    /// <summary>
    /// What is open, whatever its number: a guard that is replaced changes that. What only holds a number is left out: whether the memory of the
    /// plans that wait for their next start has one of these numbers depends on what was free when it was made.
    /// </summary>
    private static List<string> Descriptors()
    {
        var found = new List<string>();
        foreach (var path in Directory.GetFiles("/proc/self/fd"))
            if (new FileInfo(path).LinkTarget is { } target && !IsUnwinders(path, target) && !IsRuntimes(target) && !LowDescriptors.IsFree(int.Parse(Path.GetFileName(path), null)))
                found.Add(target); // the listing's own is gone by now
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    /// <summary>A library of the runtime's own, which it loads when code first needs it, and keeps open.</summary>
    private static bool IsRuntimes(string target) =>
        target.EndsWith(".dll", StringComparison.Ordinal) && Path.GetDirectoryName(target) == Path.GetDirectoryName(typeof(object).Assembly.Location);

    /// <summary>
    /// On arm64 the runtime walks native frames with libunwind, which at some time opens a pipe, both ends non-blocking, to find
    /// out whether an address can be read. Of a pipe of ours only one end ever is.
    /// </summary>
    private static bool IsUnwinders(string path, string target) =>
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 && target.StartsWith("pipe:", StringComparison.Ordinal) &&
        Directory.GetFiles("/proc/self/fd").Where(other => other != path && new FileInfo(other).LinkTarget == target).Append(path).ToArray() is { Length: 2 } ends &&
        ends.All(static end => (Flags(int.Parse(Path.GetFileName(end), null)) & Linux.O_NONBLOCK) != 0);

    /// <summary>How a descriptor's file is open; negative when it is not.</summary>
    internal static int Flags(int descriptor) => Kernel.fcntl(descriptor, 3 /* F_GETFL */);

    /// <summary>Of this process: others may start and end some meanwhile.</summary>
    private static IEnumerable<string?> DetachedNames() => StateFolder.OpenExisting() is { } folder
        ? Directory.GetFiles(folder, $"*-{Environment.ProcessId}-*").Select(Path.GetFileName).Order(StringComparer.Ordinal)
        : [];

    /// <summary>How many processes the guard's table names.</summary>
    private static unsafe int Guarded()
    {
        if (ParentExitGuard.CurrentProcessId == 0) return 0;
        var count = 0;
        for (var slot = 0; slot < 4096; slot++)
            if (*ParentExitGuard.Address(slot) != 0) count++;
        return count;
    }

    /// <summary>How many indices have ever been in use at once: what is not returned shows here.</summary>
    private static int Used(EventLoop? loop, string field)
    {
        var owner = loop is null ? typeof(ParentExitGuard) : typeof(EventLoop);
        var pool = owner.GetField(field, BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static)!.GetValue(loop);
        return pool is null ? 0 : (int)typeof(IndexPool).GetField("_fresh", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(pool)!;
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return ""; // the thread or process has ended meanwhile
        }
    }
}
