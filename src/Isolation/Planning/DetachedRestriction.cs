namespace Isolation.Planning;

/// <summary>A restriction that has to wait until the tree can be attached somewhere, as a remount asks for.</summary>
/// <param name="Register">The register that holds the tree.</param>
/// <param name="Path">Where it is from, for people.</param>
/// <param name="Label">What it is for, for people.</param>
/// <param name="Recursive">With the mounts below.</param>
/// <param name="Flags">MS_RDONLY and so on, or 0 where flags are to stay.</param>
/// <param name="Propagation">MS_PRIVATE and so on, or 0.</param>
/// <param name="Held">The flags it has, or null: those that the host has found at the path.</param>
/// <param name="Optional">The register may hold 0, which stands for no tree at all.</param>
internal readonly record struct DetachedRestriction(
    byte Register, string Path, string Label, bool Recursive, ulong Flags, ulong Propagation, ulong? Held, bool Optional);
