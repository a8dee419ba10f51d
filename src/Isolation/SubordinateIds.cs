using Isolation.Interop;
using Isolation.Launching;

namespace Isolation;

/// <summary>
/// The ids of the host that an ordinary user may use in user namespaces beside their own: subuid(5), subgid(5). Read from the files,
/// where the user of this process may be named or numbered, on any number of lines; ranges that only a directory service knows of (the
/// <c>subid</c> entry of nsswitch.conf) are not found, but can be mapped by who knows them.
/// </summary>
public static class SubordinateIds
{
    /// <summary>A <see cref="UserOptions.UserMap"/>: 0 inside is the effective user of this process, 1 and up are what /etc/subuid grants them.</summary>
    /// <exception cref="IsolationException">The file cannot be read or grants this user nothing.</exception>
    public static IReadOnlyList<IdMapping> UserMap() => SubordinateIdFile.Map("/etc/subuid", Kernel.geteuid());

    /// <summary>A <see cref="UserOptions.GroupMap"/>: 0 inside is the effective group of this process, 1 and up are what /etc/subgid grants its user.</summary>
    /// <exception cref="IsolationException">The file cannot be read or grants this user nothing.</exception>
    public static IReadOnlyList<IdMapping> GroupMap() => SubordinateIdFile.Map("/etc/subgid", Kernel.getegid());
}
