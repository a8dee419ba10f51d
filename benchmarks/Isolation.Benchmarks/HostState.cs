namespace Isolation.Benchmarks;

/// <summary>What a start costs in some state of the host.</summary>
internal sealed class HostState(string key, string title, int capacity)
{
    internal string Key => key;

    internal string Title => title;

    internal Series Plain { get; } = new(capacity);

    internal Series Piped { get; } = new(capacity);

    internal Series Floor { get; } = new(capacity);
}
