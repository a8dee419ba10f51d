using System.Text.RegularExpressions;

namespace Isolation.Images.Storage;

/// <summary>Names of images as Docker writes and shortens them.</summary>
internal static partial class ReferenceName
{
    /// <summary>
    /// The one form in which a name is kept: with a tag, and without the registry and folder that Docker implies. Null for
    /// what is no name.
    /// </summary>
    internal static string? TryNormalize(string name)
    {
        if (name.Length > 384 || !Pattern().IsMatch(name)) return null;
        foreach (var implied in (ReadOnlySpan<string>)["docker.io/", "index.docker.io/", "library/"])
            if (name.StartsWith(implied, StringComparison.Ordinal)) name = name[implied.Length..];
        return name.IndexOf(':', name.LastIndexOf('/') + 1) < 0 ? name + ":latest" : name;
    }

    [GeneratedRegex(@"\A(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Pattern();
}
