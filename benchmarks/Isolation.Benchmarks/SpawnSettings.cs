using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "spawn".</summary>
internal sealed record SpawnSettings(int Iterations, int HeapMegabytes, string? JsonFile, string? WorkDirectory, string? Program)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out SpawnSettings? settings, out string error)
    {
        settings = new SpawnSettings(500, 0, null, null, null);
        error = "";
        for (var i = 0; i < args.Length && error.Length == 0; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--iterations" when TryNumber(value, 1, 1_000_000, out var number):
                    settings = settings with { Iterations = number };
                    break;
                case "--heap" when TryNumber(value, 0, 1 << 20, out var number):
                    settings = settings with { HeapMegabytes = number };
                    break;
                case "--json" when value is not null:
                    settings = settings with { JsonFile = value };
                    break;
                case "--work" when value is not null:
                    settings = settings with { WorkDirectory = value };
                    break;
                case "--program" when value is ['/', ..]:
                    settings = settings with { Program = value };
                    break;
                case "--iterations" or "--heap" or "--json" or "--work" or "--program":
                    error = value is null ? $"{args[i]} needs a value." : $"'{value}' is no value for {args[i]}.";
                    break;
                default:
                    error = $"Unknown argument '{args[i]}'.";
                    break;
            }
        }

        if (error.Length > 0) settings = null;
        return settings is not null;
    }

    private static bool TryNumber(string? text, int least, int most, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most;
}
