using System.Diagnostics.CodeAnalysis;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "syscalls".</summary>
internal sealed record SyscallsSettings(int Rounds, int Iterations, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out SyscallsSettings? settings, out string error) =>
        Settings.TryRead(args, new SyscallsSettings(25, 50_000, null), Set, out settings, out error);

    private static SyscallsSettings? Set(SyscallsSettings settings, string name, string value, int number) => name switch
    {
        "--rounds" when number is > 0 and < 10_000 => settings with { Rounds = number },
        "--iterations" when number is > 0 and < 100_000_000 => settings with { Iterations = number },
        "--work" => settings with { WorkDirectory = value },
        _ => null,
    };
}
