namespace Isolation;

/// <summary>What the program may do to its root.</summary>
public enum RootAccess
{
    /// <summary>Nothing can be written outside the private folders. Mount points that are missing are shown without touching the folder itself.</summary>
    ReadOnly,

    /// <summary>
    /// Everything can be written; what is written goes to a layer of its own, kept in memory and thrown away unless
    /// <see cref="Root.WithChangesIn"/> names a folder. overlayfs; an ordinary user needs Linux 5.11.
    /// </summary>
    CopyOnWrite,

    /// <summary>What is written is written to the folder itself. Mount points that are missing are made there, as empty folders.</summary>
    Writable,
}
