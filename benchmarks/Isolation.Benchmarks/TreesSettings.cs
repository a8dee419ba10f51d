using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "trees".</summary>
internal sealed record TreesSettings(int Iterations, int Files, bool Peers, string? JsonFile, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out TreesSettings? settings, out string error)
    {
        settings = new TreesSettings(200, 50_000, true, null, null);
        error = "";
        for (var i = 0; i < args.Length && error.Length == 0; i++)
        {
            if (args[i] == "--no-peers")
            {
                settings = settings with { Peers = false };
                continue;
            }

            var name = args[i];
            var value = ++i < args.Length ? args[i] : null;
            switch (name)
            {
                case "--iterations" when TryNumber(value, 1, 1_000_000, out var number):
                    settings = settings with { Iterations = number };
                    break;
                case "--files" when TryNumber(value, 0, 10_000_000, out var number):
                    settings = settings with { Files = number };
                    break;
                case "--json" when value is not null:
                    settings = settings with { JsonFile = value };
                    break;
                case "--work" when value is not null:
                    settings = settings with { WorkDirectory = value };
                    break;
                case "--iterations" or "--files" or "--json" or "--work":
                    error = value is null ? $"{name} needs a value." : $"'{value}' is no value for {name}.";
                    break;
                default:
                    error = $"Unknown argument '{name}'.";
                    break;
            }
        }

        if (error.Length > 0) settings = null;
        return settings is not null;
    }

    private static bool TryNumber(string? text, int least, int most, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most;
}
