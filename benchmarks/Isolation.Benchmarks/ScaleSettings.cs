using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "scale".</summary>
internal sealed record ScaleSettings(int Iterations, int Live, int HeapMegabytes, int Threads, int Mounts, string? JsonFile, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out ScaleSettings? settings, out string error)
    {
        settings = new ScaleSettings(300, 5000, 4096, 1000, 1000, null, null);
        error = "";
        for (var i = 0; i < args.Length && error.Length == 0; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            var number = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) && parsed <= 1_000_000 ? parsed : -1;
            switch (args[i])
            {
                case "--iterations" when number > 0:
                    settings = settings with { Iterations = number };
                    break;
                case "--live" when number >= 0:
                    settings = settings with { Live = number };
                    break;
                case "--heap" when number >= 0:
                    settings = settings with { HeapMegabytes = number };
                    break;
                case "--threads" when number >= 0:
                    settings = settings with { Threads = number };
                    break;
                case "--mounts" when number >= 0:
                    settings = settings with { Mounts = number };
                    break;
                case "--json" when value is not null:
                    settings = settings with { JsonFile = value };
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
