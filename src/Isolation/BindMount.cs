namespace Isolation;

/// <summary>A folder or file of the host. Read-only unless <see cref="Writable"/> is set. mount(2), MS_BIND.</summary>
public sealed class BindMount : Mount
{
    /// <summary>Shows a folder or file of the host.</summary>
    /// <param name="source">The host's path. A relative one counts from the host's current directory.</param>
    /// <param name="target">Where it appears. Default: at the same path.</param>
    /// <exception cref="ArgumentException">A path is empty, has a NUL character, or the target is not absolute.</exception>
    public BindMount(string source, string? target = null)
        : base(target ?? Root.HostPath(source)) => Source = Root.HostPath(source);

    /// <summary>The host's path.</summary>
    public string Source { get; }

    /// <summary>The program may write there, as far as its user may. Default: false.</summary>
    public bool Writable { get; init; }

    /// <summary>With what is mounted below it. Default: true. In a user namespace the kernel allows nothing else where there is such a mount.</summary>
    public bool Recursive { get; init; } = true;

    /// <summary>Set-user-ID bits and file capabilities count (without it: MS_NOSUID). Default: false.</summary>
    public bool AllowSetUserId { get; init; }

    /// <summary>Device nodes can be opened (without it: MS_NODEV). Default: false.</summary>
    public bool AllowDevices { get; init; }

    /// <summary>Programs there can be executed (without it: MS_NOEXEC). Default: true.</summary>
    public bool AllowExecution { get; init; } = true;

    /// <summary>Whether later mounts go over. Default: they do not.</summary>
    public MountPropagation Propagation { get; init; }

    /// <summary>Nothing is mounted when the source does not exist. Default: false, it is an error.</summary>
    public bool IgnoreMissing { get; init; }

    /// <summary>
    /// Shows files of one host user as another's (mount_setattr(2), MOUNT_ATTR_IDMAP). Default: null, as they are. Needs root and
    /// a file system that can (ext4, xfs, btrfs since Linux 5.12 to 5.15; tmpfs since 6.3).
    /// </summary>
    public IdMapping? IdMapping { get; init; }

    /// <summary>
    /// Shows what belongs to the owner of <see cref="Source"/>, user and group, as the sandbox's user's own (<see cref="UserOptions.UserId"/>,
    /// <see cref="UserOptions.GroupId"/>), and what that user makes there is the owner's on the host. Files of others are shown as nobody's,
    /// and nobody else can make any. Default: false. Needs what <see cref="IdMapping"/> does, root above all (what belongs to the ordinary user
    /// of a host is the sandbox's user's anyway), and a user whose ids need not be looked up in the sandbox.
    /// </summary>
    public bool OwnedBySandboxUser { get; init; }

    internal bool MapsIds => IdMapping is not null || OwnedBySandboxUser;
}
