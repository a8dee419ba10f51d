namespace Isolation.Planning;

/// <summary>A mount by a path without links that leads to it, and its flags (MS_RDONLY and so on).</summary>
internal readonly record struct ReachableMount(string Path, ulong Flags);
