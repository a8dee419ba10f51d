namespace Isolation.Tests;

/// <summary>The roots that every attack is tried in.</summary>
public enum TreeKind
{
    /// <summary>The host's tree, the default.</summary>
    HostReadOnly,

    /// <summary>A folder, read-only.</summary>
    Folder,

    /// <summary>A folder that can be written to.</summary>
    WritableFolder,

    /// <summary>A folder with a layer of changes.</summary>
    CopyOnWrite,

    /// <summary>Nothing but a shell.</summary>
    Empty,
}
