namespace Isolation;

/// <summary>
/// Who the program is inside. Without a map of its own, in <see cref="Namespaces.User"/> a privileged host (CAP_SETUID and
/// CAP_SETGID) gives every id that it has itself, under its own number; with an ordinary host one id exists, which stands for
/// the host's user.
/// </summary>
public sealed partial class UserOptions
{
    /// <summary>User id inside. Default: null, which is 0 in a user namespace and the host's own without one. 4294967295 is no id.</summary>
    public uint? UserId { get; set; }

    /// <summary>Group id inside. Default: null, which is 0 in a user namespace and the host's own without one. 4294967295 is no id.</summary>
    public uint? GroupId { get; set; }

    /// <summary>
    /// Who the program is, in place of <see cref="UserId"/> and <see cref="GroupId"/>: <c>user</c>, <c>user:group</c> or <c>:group</c>, as images have
    /// it: <c>www-data</c>, <c>www-data:adm</c>, <c>1000:1000</c>. Names are those of /etc/passwd and /etc/group of the tree that the program sees, and must be
    /// there; digits are always a number, even where somebody is called so, and need not be there. Without a group it is the one that /etc/passwd has,
    /// or 0, and the program is in all groups of which /etc/group has the user as a member (those that exist inside); with one, in no other but
    /// <see cref="SupplementaryGroups"/>. HOME becomes the folder that /etc/passwd has, or <c>/</c>, unless <see cref="IsolationOptions.Environment"/> has
    /// one. Default: null. The files must be regular ones of 128 KiB at most. Where an ordinary user has one id only, a second user namespace
    /// gives it that number, so capabilities that are kept say nothing about mounts and the other namespaces.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>
    /// Groups beside <see cref="GroupId"/> that the program is in, by their ids inside. Default: none. The host's own are given up
    /// where that is possible, which takes privileges or a <see cref="GroupMap"/> with ids of <see cref="SubordinateIds"/>: an ordinary
    /// user without such a map cannot change groups at all (CVE-2014-8989), so the program stays in those of the host's user, which
    /// show as 65534 inside, and no others can be asked for. 65,536 at most. setgroups(2).
    /// </summary>
    public IList<uint> SupplementaryGroups { get; private set; } = new List<uint>();

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
    /// Neither the program nor what it starts can make further user namespaces (it is answered ENOSPC), whatever capabilities it has: it runs in a
    /// second one inside that which owns its other namespaces, and that may not have another. Capabilities that are kept therefore
    /// say nothing about mounts and the other namespaces. Default: false. Needs <see cref="Namespaces.User"/>, and a /proc of this process in which
    /// <c>/proc/sys/user/max_user_namespaces</c> can be written, which many containers do not have. namespaces(7).
    /// </summary>
    public bool ForbidNestedUserNamespaces { get; set; }

    /// <summary>
    /// Sets <see cref="UserMap"/> and <see cref="GroupMap"/> as other container tools do for ordinary users: 0 inside is the user of this
    /// process, and 1 and up are their subordinate ids, as many as there are. Looks at /etc/subuid and /etc/subgid now.
    /// </summary>
    /// <exception cref="IsolationException">The files cannot be read or grant this user nothing.</exception>
    public void MapSubordinateIds() => (UserMap, GroupMap) = (SubordinateIds.UserMap(), SubordinateIds.GroupMap());
}
