using System.Diagnostics.CodeAnalysis;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "peers".</summary>
internal sealed record PeersSettings(int Iterations, string? JsonFile, string? MarkdownFile, string? ChartFile, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out PeersSettings? settings, out string error) =>
        Settings.TryRead(args, new PeersSettings(200, null, null, null, null), Set, out settings, out error);

    private static PeersSettings? Set(PeersSettings settings, string name, string value, int number) => name switch
    {
        "--iterations" when number is > 0 and <= 1_000_000 => settings with { Iterations = number },
        "--json" => settings with { JsonFile = value },
        "--markdown" => settings with { MarkdownFile = value },
        "--chart" => settings with { ChartFile = value },
        "--work" => settings with { WorkDirectory = value },
        _ => null,
    };
}
