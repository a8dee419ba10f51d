using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "unpack".</summary>
internal sealed record UnpackSettings(int Rounds, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out UnpackSettings? settings, out string error)
    {
        settings = new UnpackSettings(9, null);
        error = "";
        for (var i = 0; i < args.Length && error.Length == 0; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--rounds" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 1000:
                    settings = settings with { Rounds = number };
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
