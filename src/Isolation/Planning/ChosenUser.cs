using Isolation.Users;

namespace Isolation.Planning;

/// <summary>Who the program is to be, as far as it is known before the sandbox's tree can be read.</summary>
internal readonly struct ChosenUser
{
    internal ChosenUser(UserOptions options)
    {
        (UserId, GroupId) = (options.UserId, options.GroupId);
        if (options.Name is not { } text || !UserName.TryParse(text, out var name, out _)) return;
        Name = name;
        if (name.IsKnown) (UserId, GroupId) = (name.UserId, name.GroupId);
    }

    internal uint? UserId { get; }

    internal uint? GroupId { get; }

    internal UserName? Name { get; }

    /// <summary>Who it is depends on files of the sandbox.</summary>
    internal bool IsLookedUp => Name is { IsKnown: false };
}
