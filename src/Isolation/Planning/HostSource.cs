namespace Isolation.Planning;

/// <summary>What the host has found at a path: where it is when all links are followed, and what it is, so that another thing in its place is noticed.</summary>
/// <param name="Path">The path without links.</param>
/// <param name="Inode">stx_ino of statx(2).</param>
/// <param name="Device">stx_dev_major and, in the upper half, stx_dev_minor.</param>
internal readonly record struct HostSource(string Path, ulong Inode, ulong Device);
