using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "terminal".</summary>
internal sealed record TerminalSettings(int Rounds, int Megabytes, int Keys, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out TerminalSettings? settings, out string error)
    {
        settings = new TerminalSettings(5, 1024, 2000, null);
        error = "";
        for (var i = 0; i < args.Length && error.Length == 0; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 1_000_000;
            switch (args[i])
            {
                case "--rounds" when isNumber:
                    settings = settings with { Rounds = number };
                    break;
                case "--megabytes" when isNumber:
                    settings = settings with { Megabytes = number };
                    break;
                case "--keys" when isNumber:
                    settings = settings with { Keys = number };
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
