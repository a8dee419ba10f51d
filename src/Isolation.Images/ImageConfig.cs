using System.Globalization;
using System.Runtime.InteropServices;
using Isolation.Images.Documents;

namespace Isolation.Images;

/// <summary>How a program of an image is to be run, as the image says (image-spec, config.md).</summary>
public sealed class ImageConfig
{
    internal ImageConfig(ConfigDocument document)
    {
        var execution = document.Execution ?? new ConfigExecution();
        Entrypoint = NotNull(execution.Entrypoint);
        Command = NotNull(execution.Cmd);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var variable in NotNull(execution.Env))
            if (variable.IndexOf('=') is > 0 and var equals) environment[variable[..equals]] = variable[(equals + 1)..];
        Environment = environment;
        User = string.IsNullOrEmpty(execution.User) ? null : execution.User;
        WorkingDirectory = Path.GetFullPath("/" + (execution.WorkingDir ?? "").Replace("\0", "", StringComparison.Ordinal).TrimStart('/'));
        StopSignal = ParseSignal(execution.StopSignal);
        Labels = (execution.Labels ?? []).ToDictionary(static label => label.Key, static label => label.Value ?? "", StringComparer.Ordinal);
        Architecture = document.Architecture ?? "";
        Created = document.Created;
    }

    /// <summary>The program and its first arguments, or nothing.</summary>
    public IReadOnlyList<string> Entrypoint { get; }

    /// <summary>What follows the entrypoint, or is the program without one, unless told otherwise.</summary>
    public IReadOnlyList<string> Command { get; }

    /// <summary>Environment variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Whom the program runs as: <c>user</c> or <c>user:group</c>, names or numbers; null is root.</summary>
    public string? User { get; }

    /// <summary>Where the program starts.</summary>
    public string WorkingDirectory { get; }

    /// <summary>What asks the program to end. Default: SIGTERM.</summary>
    public PosixSignal StopSignal { get; }

    /// <summary>What else its makers say of it.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; }

    /// <summary>The machine that it is for: <c>amd64</c>, <c>arm64</c> …</summary>
    public string Architecture { get; }

    /// <summary>When it was made, if it says so.</summary>
    public DateTimeOffset? Created { get; }

    /// <summary>By name, with or without SIG, or by number; what is neither is SIGTERM.</summary>
    private static PosixSignal ParseSignal(string? text)
    {
        const int firstRealTime = 34, last = 64; // glibc keeps two of the kernel's to itself, and musl one more
        if (string.IsNullOrEmpty(text)) return PosixSignal.SIGTERM;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number is >= 1 and <= last ? PosixSignals.FromNumber(number) : PosixSignal.SIGTERM;
        var name = text.ToUpperInvariant();
        if (!name.StartsWith("SIG", StringComparison.Ordinal)) name = "SIG" + name;
        for (var i = 1; i < 32; i++)
            if (PosixSignals.Name(i) == name) return PosixSignals.FromNumber(i);
        if (RealTime(name, "SIGRTMIN", '+') is { } above && firstRealTime + above <= last) return (PosixSignal)(firstRealTime + above);
        if (RealTime(name, "SIGRTMAX", '-') is { } below && last - below >= firstRealTime) return (PosixSignal)(last - below);
        return PosixSignal.SIGTERM;
    }

    private static int? RealTime(string name, string start, char sign)
    {
        if (!name.StartsWith(start, StringComparison.Ordinal)) return null;
        if (name.Length == start.Length) return 0;
        return name[start.Length] == sign && int.TryParse(name.AsSpan(start.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset : null;
    }

    private static string[] NotNull(string?[]? list) => [.. (list ?? []).OfType<string>()];
}
