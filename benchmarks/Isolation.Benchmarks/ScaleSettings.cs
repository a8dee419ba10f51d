using System.Diagnostics.CodeAnalysis;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "scale".</summary>
internal sealed record ScaleSettings(int Iterations, int Live, int HeapMegabytes, int Threads, int Mounts, string? JsonFile, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out ScaleSettings? settings, out string error) =>
        Settings.TryRead(args, new ScaleSettings(300, 5000, 4096, 1000, 1000, null, null), Set, out settings, out error);

    private static ScaleSettings? Set(ScaleSettings settings, string name, string value, int number) => name switch
    {
        "--iterations" when number is > 0 and <= 1_000_000 => settings with { Iterations = number },
        "--live" when number is >= 0 and <= 1_000_000 => settings with { Live = number },
        "--heap" when number is >= 0 and <= 1 << 20 => settings with { HeapMegabytes = number },
        "--threads" when number is >= 0 and <= 1_000_000 => settings with { Threads = number },
        "--mounts" when number is >= 0 and <= 1_000_000 => settings with { Mounts = number },
        "--json" => settings with { JsonFile = value },
        "--work" => settings with { WorkDirectory = value },
        _ => null,
    };
}
