namespace Isolation;

/// <summary>What a <see cref="LandlockPolicy"/> allows below a path.</summary>
/// <param name="Path">Absolute path of a file or folder, inside the sandbox.</param>
/// <param name="Access">What is allowed to it and to everything below it.</param>
/// <param name="IgnoreMissing">It need not exist.</param>
public readonly record struct LandlockPathRule(string Path, LandlockAccess Access, bool IgnoreMissing = false)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Path}: {Access}{(IgnoreMissing ? " (if it exists)" : "")}";
}
