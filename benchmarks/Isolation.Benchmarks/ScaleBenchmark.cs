using System.Diagnostics;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>Whether a start costs the same when the host has grown, and whether several threads can start at once.</summary>
internal static class ScaleBenchmark
{
    private const string Inner = "ISOLATION_BENCHMARK_INNER";

    /// <summary>Of a live sandbox with two pipes: what it is watched by, and the host's two ends.</summary>
    private const int DescriptorsEach = 3;

    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(1.5);

    internal static int Run(ScaleSettings settings)
    {
        if (InOwnNamespace() is { } code) return code;
        using var workspace = new Workspace(settings.WorkDirectory);
        if (workspace.Floor is not { } path || workspace.Waiter is null || workspace.Tree.Length == 0)
        {
            Console.Error.WriteLine($"This needs the programs in C. {workspace.Note}");
            return 1;
        }

        try
        {
            using var floor = new FloorProcess(path, workspace.Program, workspace.Tree);
            var report = new ScaleReport(settings);
            var subject = new Subject(floor, workspace.Program);
            WarmUp(subject);
            AllThroughput(workspace, report);
            Live(settings, workspace, subject, report);
            Threads(settings, subject, report);
            Mounts(settings, workspace, subject, report);
            Heap(settings, subject, report); // last: it is not given back
            report.Print(Console.Out);
            if (settings.JsonFile is { } file) report.WriteJson(file);
            return 0;
        }
        catch (Exception e) when (e is IsolationException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    /// <summary>The mounts are made where nobody else sees them: by the same program, once more, in a mount namespace. Null: this is it.</summary>
    private static int? InOwnNamespace()
    {
        if (!Environment.IsPrivilegedProcess || Environment.GetEnvironmentVariable(Inner) is not null || Workspace.Find("unshare") is not { } unshare) return null;
        var info = new ProcessStartInfo(unshare, ["--mount", "--propagation", "private", Environment.ProcessPath!]);
        var arguments = Environment.GetCommandLineArgs();
        // Under "dotnet X.dll" the process is dotnet, and the first argument the file.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") info.ArgumentList.Add(arguments[0]);
        foreach (var argument in arguments.Skip(1)) info.ArgumentList.Add(argument);
        info.Environment[Inner] = "1";
        using var process = Process.Start(info)!;
        process.WaitForExit();
        return process.ExitCode;
    }

    private sealed class Subject(FloorProcess floor, string program)
    {
        private readonly IsolationOptions _plain = Scenario.PidMountProc(program), _piped = Piped(program);

        internal HostState Measure(string key, string title, int iterations)
        {
            var state = new HostState(key, title, iterations);
            var order = new Random(1);
            int[] ways = [0, 1, 2];
            for (var i = 0; i < iterations; i++)
            {
                order.Shuffle(ways);
                foreach (var way in ways)
                {
                    if (way == 0) state.Floor.Add(floor.Measure('m'));
                    if (way == 1) state.Plain.Add(SpawnBenchmark.Second(() => SpawnBenchmark.StartIsolated(_plain)));
                    if (way == 2) state.Piped.Add(SpawnBenchmark.Second(() => SpawnBenchmark.StartIsolated(_piped)));
                }
            }

            return state;
        }
    }

    internal static IsolationOptions Piped(string program)
    {
        var options = Scenario.PidMountProc(program);
        options.StandardOutput = options.StandardError = StandardStream.Pipe;
        return options;
    }

    private static void WarmUp(Subject subject)
    {
        var end = Stopwatch.GetTimestamp() + (long)(s_warmUp.TotalSeconds * Stopwatch.Frequency);
        do subject.Measure("", "", 25);
        while (Stopwatch.GetTimestamp() < end);
        Thread.Sleep(TimeSpan.FromMilliseconds(300));
    }

    private static void Live(ScaleSettings settings, Workspace workspace, Subject subject, ScaleReport report)
    {
        var most = Math.Min(settings.Live, Math.Max(0, (Descriptors() - 1000) / DescriptorsEach));
        report.Base("live", "live sandboxes", subject.Measure("0", "none", settings.Iterations));
        var live = new List<IsolatedProcess>(most);
        var options = Piped(workspace.Waiter!);
        var (managed, resident) = (GC.GetTotalMemory(forceFullCollection: true), Resident());
        try
        {
            foreach (var count in ((int[])[most / 5, most]).Distinct())
            {
                while (live.Count < count) live.Add(IsolatedProcess.Start(options));
                report.Add("live", subject.Measure(Text(count), $"{count:N0}", settings.Iterations));
            }

            if (most > 0)
            {
                Process.Start(workspace.Program).WaitForExit();
                report.Add("live", subject.Measure("process", $"{most:N0}, and Process has been used", settings.Iterations));
                report.ManagedEach = (GC.GetTotalMemory(forceFullCollection: true) - managed) / (double)most;
                report.ResidentEach = (Resident() - resident) / (double)most;
            }
        }
        finally
        {
            foreach (var process in live) process.Kill();
            foreach (var process in live) process.Dispose();
        }

        report.Add("live", subject.Measure("after", "none again", settings.Iterations));
    }

    private static void Threads(ScaleSettings settings, Subject subject, ScaleReport report)
    {
        report.Base("threads", "threads of the host", subject.Measure("0", "as it is", settings.Iterations));
        using var end = new ManualResetEventSlim();
        var threads = Enumerable.Range(0, settings.Threads).Select(_ => new Thread(() => end.Wait(), 128 * 1024)).ToArray();
        foreach (var thread in threads) thread.Start();
        report.Add("threads", subject.Measure(Text(settings.Threads), $"{settings.Threads:N0} more, idle", settings.Iterations));
        end.Set();
        foreach (var thread in threads) thread.Join();
    }

    private static void Mounts(ScaleSettings settings, Workspace workspace, Subject subject, ScaleReport report)
    {
        if (Environment.GetEnvironmentVariable(Inner) is null) return;
        report.Base("mounts", "mounts of the host", subject.Measure("0", "as it is", settings.Iterations));
        var folder = Path.Combine(workspace.Folder!, "mounts");
        const string script = """mkdir "$1"; i=0; while [ $i -lt $2 ]; do mkdir "$1/$i"; mount -t tmpfs -o size=4k none "$1/$i" || exit; i=$((i+1)); done""";
        if (Helper.Run("/bin/sh", "-ec", script, "sh", folder, Text(settings.Mounts)) != 0) throw new InvalidOperationException("The mounts cannot be made.");
        report.Add("mounts", subject.Measure(Text(settings.Mounts), $"{settings.Mounts:N0} more", settings.Iterations));
        Helper.Run("/bin/sh", "-c", """umount -l "$1"/*""", "sh", folder);
    }

    private static void Heap(ScaleSettings settings, Subject subject, ScaleReport report)
    {
        report.Base("heap", "managed heap", subject.Measure("0", "as it is", settings.Iterations));
        object heap = Array.Empty<object>();
        var before = 0;
        foreach (var megabytes in ((int[])[settings.HeapMegabytes / 4, settings.HeapMegabytes]).Distinct())
        {
            heap = (heap, ManagedHeap.Fill(megabytes - before));
            before = megabytes;
            report.Add("heap", subject.Measure(Text(megabytes), $"{megabytes:N0} MB of live objects", settings.Iterations));
        }

        GC.KeepAlive(heap);
    }

    private static void AllThroughput(Workspace workspace, ScaleReport report)
    {
        var job = new PeerJob("throughput", User: false, Network: false);
        foreach (var threads in (int[])[1, 2, 4])
        {
            report.Add(Throughput.Measure("pid-mount-proc", "pid + mount + /proc, no privilege", workspace, 'm', Scenario.PidMountProc(workspace.Program), threads));
            report.Add(Throughput.Measure("full-root", "full root, no network namespace", workspace, 'f', PeersBenchmark.SameJob(workspace, job), threads));
        }
    }

    private static int Descriptors() =>
        int.TryParse(File.ReadLines("/proc/self/limits").First(static line => line.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;

    private static long Resident() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
