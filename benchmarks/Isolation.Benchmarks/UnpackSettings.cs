using System.Diagnostics.CodeAnalysis;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "unpack".</summary>
internal sealed record UnpackSettings(int Rounds, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out UnpackSettings? settings, out string error) =>
        Settings.TryRead(args, new UnpackSettings(9, null), Set, out settings, out error);

    private static UnpackSettings? Set(UnpackSettings settings, string name, string value, int number) => name switch
    {
        "--rounds" when number is > 0 and < 1000 => settings with { Rounds = number },
        "--work" => settings with { WorkDirectory = value },
        _ => null,
    };
}
