namespace Isolation.Benchmarks;

/// <summary>A job, and the ways to do it: ours, or the one in question, first; all others are compared to it.</summary>
internal sealed class Contest(string key, string title, Way[] ways, int capacity)
{
    internal string Key => key;

    internal string Title => title;

    internal Way[] Ways => ways;

    internal Series[] Series { get; private set; } = Fresh(ways, capacity);

    internal double StartOfOurs(int way) => Series[0].Start(0.5) / Series[way].Start(0.5);

    internal double ExitOfOthers(int way) => Series[way].Exit(0.5) / Series[0].Exit(0.5);

    /// <summary>Forgets what was measured.</summary>
    internal void Clear() => Series = Fresh(ways, capacity);

    private static Series[] Fresh(Way[] ways, int capacity) => Array.ConvertAll(ways, _ => new Series(capacity));
}
