namespace Isolation.Benchmarks;

/// <summary>What was measured for a scenario.</summary>
internal sealed class ScenarioResult(Scenario scenario, int capacity)
{
    internal Scenario Scenario => scenario;

    internal Series Floor { get; } = new(capacity);

    internal Series Process { get; } = new(capacity);

    internal Series Isolated { get; } = new(capacity);

    internal double StartToProcess => Isolated.Start(0.5) / Process.Start(0.5);

    internal double StartToFloor => Isolated.Start(0.5) / Floor.Start(0.5);

    internal double ExitToProcess => Isolated.Exit(0.5) / Process.Exit(0.5);

    internal double ExitToFloor => Isolated.Exit(0.5) / Floor.Exit(0.5);
}
