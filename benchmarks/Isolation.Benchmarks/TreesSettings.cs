using System.Diagnostics.CodeAnalysis;

namespace Isolation.Benchmarks;

/// <summary>The arguments of "trees".</summary>
internal sealed record TreesSettings(int Iterations, int Files, bool Peers, string? JsonFile, string? WorkDirectory)
{
    internal static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out TreesSettings? settings, out string error)
    {
        const string noPeers = "--no-peers"; // the only one without a value
        string[] pairs = [.. args.ToArray().Where(static argument => argument != noPeers)];
        return Settings.TryRead(pairs, new TreesSettings(200, 50_000, pairs.Length == args.Length, null, null), Set, out settings, out error);
    }

    private static TreesSettings? Set(TreesSettings settings, string name, string value, int number) => name switch
    {
        "--iterations" when number is > 0 and <= 1_000_000 => settings with { Iterations = number },
        "--files" when number is >= 0 and <= 10_000_000 => settings with { Files = number },
        "--json" => settings with { JsonFile = value },
        "--work" => settings with { WorkDirectory = value },
        _ => null,
    };
}
