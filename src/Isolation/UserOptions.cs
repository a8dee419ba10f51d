namespace Isolation;

/// <summary>
/// Who the program is inside. Without a map of its own, in <see cref="Namespaces.User"/> a privileged host (CAP_SETUID and
/// CAP_SETGID) gives every id that it has itself, under its own number; with an ordinary host one id exists, which stands for
/// the host's user.
/// </summary>
public sealed class UserOptions
{
    /// <summary>User id inside. Default: null, which is 0 in a user namespace and the host's own without one. 4294967295 is no id.</summary>
    public uint? UserId { get; set; }

    /// <summary>Group id inside. Default: null, which is 0 in a user namespace and the host's own without one. 4294967295 is no id.</summary>
    public uint? GroupId { get; set; }

    /// <summary>
    /// Groups beside <see cref="GroupId"/> that the program is in, by their ids inside. Default: none. The host's own are given up
    /// where that is possible, which takes privileges or a <see cref="GroupMap"/> with ids of <see cref="SubordinateIds"/>: an ordinary
    /// user without such a map cannot change groups at all (CVE-2014-8989), so the program stays in those of the host's user, which
    /// show as 65534 inside, and no others can be asked for. 65,536 at most. setgroups(2).
    /// </summary>
    public IList<uint> SupplementaryGroups { get; } = new List<uint>();

    /// <summary>
    /// Which user ids exist inside, and whose they are on the host. Default: null, see <see cref="UserOptions"/>. Root may choose any; an
    /// ordinary user their own id (one mapping with a count of 1) and, where Debian's package uidmap or its like is installed, those
    /// that /etc/subuid grants, through newuidmap(1): see <see cref="MapSubordinateIds"/>. At most 340 mappings and 4,095 bytes in all,
    /// as uid_map of user_namespaces(7) has them. Needs <see cref="Namespaces.User"/>.
    /// </summary>
    public IReadOnlyList<IdMapping>? UserMap { get; set; }

    /// <summary>The same for group ids, with newgidmap(1) and /etc/subgid.</summary>
    public IReadOnlyList<IdMapping>? GroupMap { get; set; }

    /// <summary>
    /// Sets <see cref="UserMap"/> and <see cref="GroupMap"/> as other container tools do for ordinary users: 0 inside is the user of this
    /// process, and 1 and up are their subordinate ids, as many as there are. Looks at /etc/subuid and /etc/subgid now.
    /// </summary>
    /// <exception cref="IsolationException">The files cannot be read or grant this user nothing.</exception>
    public void MapSubordinateIds() => (UserMap, GroupMap) = (SubordinateIds.UserMap(), SubordinateIds.GroupMap());
}
