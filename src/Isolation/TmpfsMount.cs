namespace Isolation;

/// <summary>An empty folder in memory. tmpfs(5).</summary>
public sealed class TmpfsMount(string target) : Mount(target)
{
    /// <summary>Limit in bytes. Default: 64 MiB.</summary>
    public long Size { get; init; } = Root.DefaultSize;

    /// <summary>Limit of the number of files. Default: null, the kernel's own (half the number of memory pages).</summary>
    public long? Inodes { get; init; }

    /// <summary>Access mode of the folder. Default: 0755.</summary>
    public UnixFileMode Mode { get; init; } = (UnixFileMode)0x1ed;

    /// <summary>Programs there can be executed. Default: true.</summary>
    public bool AllowExecution { get; init; } = true;

    /// <summary>Nothing can be written. Default: false.</summary>
    public bool ReadOnly { get; init; }
}
