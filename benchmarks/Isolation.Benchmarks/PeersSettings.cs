using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "peers".</summary>
internal sealed record PeersSettings(int Iterations, string? JsonFile, string? MarkdownFile, string? ChartFile, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out PeersSettings? settings, out string error)
    {
        settings = new PeersSettings(200, null, null, null, null);
        error = "";
        for (var i = 0; i < args.Length && error.Length == 0; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--iterations" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1_000_000:
                    settings = settings with { Iterations = number };
                    break;
                case "--json" when value is not null:
                    settings = settings with { JsonFile = value };
                    break;
                case "--markdown" when value is not null:
                    settings = settings with { MarkdownFile = value };
                    break;
                case "--chart" when value is not null:
                    settings = settings with { ChartFile = value };
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
