using System.Diagnostics.CodeAnalysis;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "terminal".</summary>
internal sealed record TerminalSettings(int Rounds, int Megabytes, int Keys, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out TerminalSettings? settings, out string error) =>
        Settings.TryRead(args, new TerminalSettings(5, 1024, 2000, null), Set, out settings, out error);

    private static TerminalSettings? Set(TerminalSettings settings, string name, string value, int number) => name switch
    {
        "--rounds" when number is > 0 and < 1_000_000 => settings with { Rounds = number },
        "--megabytes" when number is > 0 and < 1_000_000 => settings with { Megabytes = number },
        "--keys" when number is > 0 and < 1_000_000 => settings with { Keys = number },
        "--work" => settings with { WorkDirectory = value },
        _ => null,
    };
}
