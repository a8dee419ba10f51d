using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "syscalls".</summary>
internal sealed record SyscallsSettings(int Rounds, int Iterations, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out SyscallsSettings? settings, out string error)
    {
        settings = new SyscallsSettings(25, 50_000, null);
        error = "";
        for (var i = 0; i < args.Length && error.Length == 0; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--rounds" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 10_000:
                    settings = settings with { Rounds = number };
                    break;
                case "--iterations" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 100_000_000:
                    settings = settings with { Iterations = number };
                    break;
                case "--work" when value is not null:
                    settings = settings with { WorkDirectory = value };
                    break;
                default:
                    error = $"Unknown argument or value at '{args[i]}'.";
                    break;
            }
        }

        if (error.Length > 0) settings = null;
        return settings is not null;
    }
}
