namespace Isolation;

/// <summary>A symbolic link in a tree that is the sandbox's own.</summary>
public sealed class SymbolicLinkMount : Mount
{
    /// <summary>A link to <paramref name="pointsTo"/>, which need not exist. A link there that says the same is left as it is.</summary>
    /// <exception cref="ArgumentException">Empty, or with a NUL character.</exception>
    public SymbolicLinkMount(string target, string pointsTo)
        : base(target)
    {
        ArgumentException.ThrowIfNullOrEmpty(pointsTo);
        if (pointsTo.Contains('\0')) throw new ArgumentException("A link must not contain a NUL character.", nameof(pointsTo));
        PointsTo = pointsTo;
    }

    /// <summary>What it says: a path inside.</summary>
    public string PointsTo { get; }
}
