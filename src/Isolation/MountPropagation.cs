namespace Isolation;

/// <summary>Whether mounts that are made later on one side appear on the other. mount_namespaces(7).</summary>
public enum MountPropagation
{
    /// <summary>They do not.</summary>
    Private,

    /// <summary>What the host mounts there later appears inside, and not the other way round (MS_SLAVE).</summary>
    FromHost,

    /// <summary>Both ways (MS_SHARED). Not possible with <see cref="Namespaces.User"/>, and needs a host mount that is shared itself.</summary>
    Both,
}
