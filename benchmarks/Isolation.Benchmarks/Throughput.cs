using System.Diagnostics;

namespace Isolation.Benchmarks;

/// <summary>Starts a second, from start to exit, by several threads at once; raw C has as many processes, which share nothing.</summary>
internal sealed record Throughput(string Key, string Title, int Threads, double Ours, double Floor)
{
    private const int Rounds = 7;
    private static readonly TimeSpan s_slice = TimeSpan.FromMilliseconds(400);

    internal double Ratio => Ours / Floor;

    internal static Throughput Measure(string key, string title, Workspace workspace, char command, IsolationOptions options, int threads)
    {
        var floors = Enumerable.Range(0, threads).Select(_ => new FloorProcess(workspace.Floor!, workspace.Program, workspace.Tree)).ToArray();
        try
        {
            List<double> ours = [], floor = [];
            for (var i = -1; i < Rounds; i++) // the first does not count
            {
                var raw = Together(threads, thread => floors[thread].Count(command, s_slice));
                var own = Together(threads, _ => Count(options));
                if (i < 0) continue;
                floor.Add(raw);
                ours.Add(own);
            }

            return new Throughput(key, title, threads, Median(ours), Median(floor));
        }
        finally
        {
            foreach (var process in floors) process.Dispose();
        }
    }

    /// <summary>Of all threads, a second.</summary>
    private static double Together(int count, Func<int, long> work)
    {
        var done = new long[count];
        var begin = Stopwatch.GetTimestamp();
        var threads = Enumerable.Range(0, count).Select(index => new Thread(() => done[index] = work(index))).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return done.Sum() / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static long Count(IsolationOptions options)
    {
        var end = Stopwatch.GetTimestamp() + (long)(s_slice.TotalSeconds * Stopwatch.Frequency);
        var done = 0L;
        for (; Stopwatch.GetTimestamp() < end; done++)
        {
            using var process = IsolatedProcess.Start(options);
            process.WaitForExit();
        }

        return done;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
