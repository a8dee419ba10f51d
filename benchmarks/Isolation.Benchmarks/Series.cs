namespace Isolation.Benchmarks;

/// <summary>The samples of one way to start in one scenario.</summary>
internal sealed class Series(int capacity)
{
    private readonly List<double> _start = new(capacity), _exit = new(capacity);
    private long _allocated;

    internal int Count => _start.Count;

    internal long AllocatedEach => Count == 0 ? 0 : _allocated / Count;

    /// <summary>The largest resident set of any process beside the one that starts, in KB. 0: not known.</summary>
    internal long PeakMemory { get; set; }

    internal void Add(in Sample sample)
    {
        PeakMemory = Math.Max(PeakMemory, sample.Memory);
        _start.Add(sample.Start);
        _exit.Add(sample.Exit);
        _allocated += sample.Allocated;
    }

    internal double Start(double quantile) => Quantile(_start, quantile);

    internal double Exit(double quantile) => Quantile(_exit, quantile);

    /// <summary>The smallest sample that at least this share of the samples does not exceed.</summary>
    private static double Quantile(List<double> samples, double quantile)
    {
        if (samples.Count == 0) return double.NaN;
        samples.Sort();
        return samples[Math.Max(0, (int)Math.Ceiling(quantile * samples.Count) - 1)];
    }
}
