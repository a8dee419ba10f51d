using System.Diagnostics;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The same job by everything that can do it on this machine, in turn in one run.</summary>
internal static class PeersBenchmark
{
    internal static int Run(PeersSettings settings)
    {
        using var workspace = new Workspace(settings.WorkDirectory);
        if (workspace.Floor is not { } path || workspace.Tree.Length == 0)
        {
            // The program to be started inside such a root must be static, so there is nothing without a compiler.
            Console.Error.WriteLine($"This needs the programs in C. {workspace.Note}");
            return 1;
        }

        using var floor = new FloorProcess(path, workspace.Program, workspace.Tree);
        using var peers = new Peers(floor, workspace);
        try
        {
            var user = new Contest("user", "in a user namespace", [.. Ways(workspace, floor, peers, new PeerJob("user", User: true, Network: true))], settings.Iterations);
            // Only root can do without.
            Contest[] contests = Environment.IsPrivilegedProcess
                ? [new("plain", "without a user namespace", [.. Ways(workspace, floor, peers, new PeerJob("plain", User: false, Network: true))], settings.Iterations), user]
                : [user];
            ContestRunner.Run(contests, settings.Iterations);
            ContestReport.Print(Console.Out, "The same job by others", contests, settings.Iterations);
            if (settings.JsonFile is { } json) ContestReport.WriteJson(json, contests, settings.Iterations);
            if (settings.MarkdownFile is { } markdown) File.WriteAllText(markdown, PeersMarkdown.Write(contests, settings.Iterations));
            if (settings.ChartFile is { } chart) File.WriteAllText(chart, PeersChart.Draw(contests));
            return 0;
        }
        catch (Exception e) when (e is IsolationException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static IEnumerable<Way> Ways(Workspace workspace, FloorProcess floor, Peers peers, PeerJob job)
    {
        // Further ways of our own to start it go here: the chart shows in its own colour what has a title that begins alike.
        yield return Ours("isolatedProcessStart", PeersChart.Ours, "", SameJob(workspace, job));
        yield return Ours("isolatedProcessStartDefault", PeersChart.Ours + ", strict", "and with its filter of syscalls, masks and private /run", Strict(SameJob(workspace, job)));
        yield return new Way("floor", "raw C", () => floor.Measure(job.InUser ? 'u' : 'n'), "the same system calls and nothing else", MostOfStart: 1.1);
        yield return new Way("processStart", "Process.Start, not isolated", () => SpawnBenchmark.Second(() => Process(workspace.Program)));
        foreach (var way in peers.All(job)) yield return way;
    }

    private static Way Ours(string key, string title, string note, IsolationOptions options) =>
        new(key, title, () => SpawnBenchmark.Second(() => SpawnBenchmark.StartIsolated(options)), note, Memory: () => Resident(options));

    /// <summary>What others do as well: no filter of syscalls, no masks.</summary>
    internal static IsolationOptions SameJob(Workspace workspace, PeerJob job)
    {
        var options = new IsolationOptions(Workspace.ProgramInTree)
        {
            Namespaces = Namespaces.Pid | Namespaces.Mount | Namespaces.Uts | Namespaces.Ipc | Namespaces.Cgroup |
                (job.Network ? Namespaces.Network : 0) | (job.InUser ? Namespaces.User : 0),
            Security = { Seccomp = null },
            Filesystem = { Root = Root.Empty(), PrivateRun = false, MaskKernelFiles = false },
        };
        foreach (var folder in Workspace.TreeFolders) options.Filesystem.Mounts.Add(new BindMount($"{workspace.Tree}/{folder}", "/" + folder));
        return options;
    }

    private static IsolationOptions Strict(IsolationOptions options)
    {
        options.Security.Seccomp = SeccompProfile.Default;
        options.Filesystem.PrivateRun = options.Filesystem.MaskKernelFiles = true;
        return options;
    }

    /// <summary>What there is beside the host before the program: the process that sets up, when it is done.</summary>
    private static long Resident(IsolationOptions options)
    {
        using var process = IsolatedProcess.StartSuspended(options);
        try
        {
            // The exact figure: the one of /proc/PID/status is rounded down by more than there is.
            var line = File.ReadLines($"/proc/{process.ProcessId}/smaps_rollup").First(static line => line.StartsWith("Rss:", StringComparison.Ordinal));
            return long.Parse(line["Rss:".Length..^"kB".Length], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        }
        catch (UnauthorizedAccessException)
        {
            return 0; // not dumpable, and only for root to see
        }
    }

    private static Sample Process(string program)
    {
        var begin = Stopwatch.GetTimestamp();
        using var process = System.Diagnostics.Process.Start(program);
        var started = Stopwatch.GetElapsedTime(begin).TotalMicroseconds;
        process.WaitForExit();
        return new Sample(started, Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
    }
}
