namespace Isolation;

/// <summary>An empty folder in a tree that is the sandbox's own. One that exists is left as it is.</summary>
public sealed class DirectoryMount(string target) : Mount(target)
{
    /// <summary>Access mode. Default: 0755.</summary>
    public UnixFileMode Mode { get; init; } = (UnixFileMode)0x1ed;

    /// <summary>The owner, as the sandbox counts users. Default: null, user 0 or the sandbox's only one.</summary>
    public uint? UserId { get; init; }

    /// <summary>The group, likewise.</summary>
    public uint? GroupId { get; init; }
}
