using System.Diagnostics;

namespace Isolation.Benchmarks;

/// <summary>
/// Takes the samples of contests: in turn, in blocks, and in a block in changing order, so that what else the machine does hits
/// all alike.
/// </summary>
internal static class ContestRunner
{
    private const int Block = 10;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(30);

    internal static void Run(Contest[] contests, int iterations)
    {
        WarmUp(contests);
        foreach (var contest in contests) contest.Clear();
        Measure(contests, iterations, most: int.MaxValue);
        foreach (var contest in contests)
            for (var way = 0; way < contest.Ways.Length; way++)
                if (contest.Ways[way].Memory is { } memory) contest.Series[way].PeakMemory = memory();
    }

    /// <summary>Without the slow ones, which have run once and need no more.</summary>
    private static void WarmUp(Contest[] contests)
    {
        var end = Stopwatch.GetTimestamp() + (long)(s_warmUp.TotalSeconds * Stopwatch.Frequency);
        do Measure(contests, Block, most: 1);
        while (Stopwatch.GetTimestamp() < end);
        Thread.Sleep(TimeSpan.FromMilliseconds(300));
    }

    private static void Measure(Contest[] contests, int iterations, int most)
    {
        var order = new Random(1);
        for (var done = 0; done < iterations; done += Block)
        {
            foreach (var contest in contests)
            {
                Thread.Sleep(s_settle);
                var ways = Enumerable.Range(0, contest.Ways.Length).Where(way => contest.Ways[way].Measure is not null && contest.Ways[way].Every <= most).ToArray();
                for (var i = done; i < Math.Min(done + Block, iterations); i++)
                {
                    order.Shuffle(ways);
                    foreach (var way in ways)
                        if (i % contest.Ways[way].Every == 0) contest.Series[way].Add(contest.Ways[way].Measure!());
                }
            }
        }
    }
}
