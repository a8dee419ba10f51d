namespace Isolation;

/// <summary>
/// Who the program is inside. With <see cref="Namespaces.User"/> and a privileged host (CAP_SETUID and CAP_SETGID) every id
/// of the host exists inside under its own number; with an ordinary host one id does, which stands for the host's user.
/// </summary>
public sealed class UserOptions
{
    /// <summary>User id inside. Default: null, which is 0 in a user namespace and the host's own without one.</summary>
    public uint? UserId { get; set; }

    /// <summary>Group id inside. Default: null, which is 0 in a user namespace and the host's own without one.</summary>
    public uint? GroupId { get; set; }
}
