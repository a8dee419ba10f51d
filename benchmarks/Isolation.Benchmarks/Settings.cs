using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>Reads the arguments of a command: names, each followed by its value.</summary>
internal static class Settings
{
    /// <param name="args">The arguments.</param>
    /// <param name="usual">What holds where nothing is said.</param>
    /// <param name="set">The settings with one more value: of what, as text, and as a number, which is -1 where it is none. Null: there is no such name, or the value will not do.</param>
    /// <param name="settings">What has been read.</param>
    /// <param name="error">Why it has not.</param>
    internal static bool TryRead<T>(ReadOnlySpan<string> args, T usual, Func<T, string, string, int, T?> set, [NotNullWhen(true)] out T? settings, out string error)
        where T : class
    {
        settings = usual;
        error = "";
        for (var i = 0; i < args.Length && settings is not null; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            var number = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : -1;
            settings = value.Length > 0 ? set(settings, args[i], value, number) : null;
            if (settings is null) error = $"Unknown argument or value at '{args[i]}'.";
        }

        return settings is not null;
    }
}
