namespace Isolation.Planning;

/// <summary>What a plan keeps in mind where mount_setattr(2) is missing. See <see cref="RestrictionPlanner"/>.</summary>
internal sealed class Restrictions(HostMounts mounts, bool skipsUnreachable)
{
    internal HostMounts Mounts => mounts;

    /// <summary>The program will be nobody but who the stage is, so what is out of reach for the one is so for the other.</summary>
    internal bool SkipsUnreachable => skipsUnreachable;

    /// <summary>What every mount of the tree has been given already: a remount sets all flags anew.</summary>
    internal ulong Tree { get; set; }

    internal List<DetachedRestriction> Detached { get; } = [];
}
