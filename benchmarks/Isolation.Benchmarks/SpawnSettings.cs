using System.Diagnostics.CodeAnalysis;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "spawn".</summary>
internal sealed record SpawnSettings(int Iterations, int HeapMegabytes, string? JsonFile, string? WorkDirectory, string? Program)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out SpawnSettings? settings, out string error) =>
        Settings.TryRead(args, new SpawnSettings(500, 0, null, null, null), Set, out settings, out error);

    private static SpawnSettings? Set(SpawnSettings settings, string name, string value, int number) => name switch
    {
        "--iterations" when number is > 0 and <= 1_000_000 => settings with { Iterations = number },
        "--heap" when number is >= 0 and <= 1 << 20 => settings with { HeapMegabytes = number },
        "--json" => settings with { JsonFile = value },
        "--work" => settings with { WorkDirectory = value },
        "--program" when value[0] == '/' => settings with { Program = value },
        _ => null,
    };
}
