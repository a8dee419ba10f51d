namespace Isolation;

/// <summary>What file tree the program sees.</summary>
public enum RootMode
{
    /// <summary>
    /// The host's tree, every mount of it read-only, without effect of set-user-ID bits and, with a private /dev, of device nodes.
    /// Needs Linux 5.12 (mount_setattr).
    /// </summary>
    HostReadOnly,

    /// <summary>The host's tree as it is: the program may write wherever its user may. Mounts made inside still stay inside.</summary>
    Host,
}
