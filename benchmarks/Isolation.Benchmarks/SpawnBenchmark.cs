using System.Diagnostics;

namespace Isolation.Benchmarks;

/// <summary>
/// The quick mode. Everything in one run and interleaved, so that what else the machine does hits all alike: a block of
/// rounds for each scenario in turn, and in each round one sample of each way to start, in changing order. Blocks, because
/// the kernel takes network namespaces apart in the background, which must not be paid by the scenarios without one.
/// </summary>
internal static class SpawnBenchmark
{
    private const int Block = 25;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(30);

    internal static int Run(SpawnSettings settings)
    {
        using var workspace = new Workspace(settings.WorkDirectory, settings.Program);
        using var floor = workspace.Floor is { } path ? new FloorProcess(path, workspace.Program, workspace.Tree) : null;
        var scenarios = Scenario.All(workspace.Program);
        var info = new ProcessStartInfo(workspace.Program);
        try
        {
            WarmUp(scenarios, info, floor);
            var plain = Measure(scenarios, info, floor, settings.Iterations);
            ScenarioResult[]? heavy = null;
            if (settings.HeapMegabytes > 0)
            {
                var heap = ManagedHeap.Fill(settings.HeapMegabytes);
                heavy = Measure(scenarios, info, floor, settings.Iterations);
                GC.KeepAlive(heap);
            }

            SpawnReport.Print(Console.Out, plain, heavy, settings, workspace);
            if (settings.JsonFile is { } file) SpawnReport.WriteJson(file, plain, heavy, settings, workspace);
            return 0;
        }
        catch (Exception e) when (e is IsolationException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    /// <summary>Until the just-in-time compiler has done its best, and a moment more for what it does in the background.</summary>
    private static void WarmUp(Scenario[] scenarios, ProcessStartInfo info, FloorProcess? floor)
    {
        var end = Stopwatch.GetTimestamp() + (long)(s_warmUp.TotalSeconds * Stopwatch.Frequency);
        do _ = Measure(scenarios, info, floor, Block);
        while (Stopwatch.GetTimestamp() < end);
        Thread.Sleep(TimeSpan.FromMilliseconds(300));
        _ = Measure(scenarios, info, floor, Block);
    }

    private static ScenarioResult[] Measure(Scenario[] scenarios, ProcessStartInfo info, FloorProcess? floor, int iterations)
    {
        var results = Array.ConvertAll(scenarios, scenario => new ScenarioResult(scenario, iterations));
        var order = new Random(1);
        int[] ways = [0, 1, 2];
        for (var done = 0; done < iterations; done += Block)
        {
            foreach (var result in results)
            {
                Thread.Sleep(s_settle);
                for (var i = done; i < Math.Min(done + Block, iterations); i++)
                {
                    order.Shuffle(ways);
                    foreach (var way in ways)
                    {
                        if (way == 0 && floor is not null) result.Floor.Add(floor.Measure(result.Scenario.FloorCommand));
                        if (way == 1) result.Process.Add(Second(() => StartProcess(info)));
                        if (way == 2 && result.Scenario.Options is { } options) result.Isolated.Add(Second(() => StartIsolated(options)));
                    }
                }
            }
        }

        return results;
    }

    /// <summary>
    /// The first start of a turn pays for caches that the ways before it have filled, and the floor, a process that was
    /// asleep, pays three times what it does otherwise. It does the same by itself, so that both are awake and warm.
    /// </summary>
    internal static Sample Second(Func<Sample> measure)
    {
        _ = measure();
        return measure();
    }

    private static Sample StartProcess(ProcessStartInfo info)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var begin = Stopwatch.GetTimestamp();
        using var process = Process.Start(info)!;
        var started = Stopwatch.GetTimestamp();
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        process.WaitForExit();
        return new Sample(Microseconds(begin, started), Microseconds(begin, Stopwatch.GetTimestamp()), allocated);
    }

    internal static Sample StartIsolated(IsolationOptions options)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var begin = Stopwatch.GetTimestamp();
        using var process = IsolatedProcess.Start(options);
        var started = Stopwatch.GetTimestamp();
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        process.WaitForExit();
        return new Sample(Microseconds(begin, started), Microseconds(begin, Stopwatch.GetTimestamp()), allocated);
    }

    private static double Microseconds(long from, long to) => (to - from) * 1e6 / Stopwatch.Frequency;
}
