using System.Globalization;

namespace Isolation.Users;

/// <summary>
/// Who a program runs as, in words: "user", "user:group" or ":group", each a name or a number. Digits are always a number, whoever may be
/// called so, as Docker has it: a user named 1 is no way to become somebody else.
/// </summary>
/// <param name="User">A name, or null when there is a number.</param>
/// <param name="UserId">A number, which 0 is where nobody is named.</param>
/// <param name="Group">A name, or null.</param>
/// <param name="GroupId">A number, or null. With neither it is the user's own group, and the user's others as well.</param>
internal readonly record struct UserName(string? User, uint? UserId, string? Group, uint? GroupId)
{
    internal bool HasGroup => Group is not null || GroupId is not null;

    /// <summary>Nothing but the home folder has to be looked up.</summary>
    internal bool IsKnown => UserId is not null && GroupId is not null;

    internal static bool TryParse(string text, out UserName name, out string? problem)
    {
        name = default;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (user, group) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        problem = group.Contains(':', StringComparison.Ordinal) ? "has more than a user and a group"
            : text.AsSpan().ContainsAny('\n', '\0') ? "has a character that no name can have" : null;
        if (problem is not null) return false;
        if (!TryParseId(user.Length == 0 ? "0" : user, out var userId) || !TryParseId(group, out var groupId))
        {
            problem = "has an id beyond 4294967294, the last there is";
            return false;
        }

        name = new UserName(userId is null ? user : null, userId, groupId is null && group.Length > 0 ? group : null, groupId);
        return true;
    }

    /// <summary>False for digits that are no id; a null id for what is no digits.</summary>
    private static bool TryParseId(string text, out uint? id)
    {
        id = null;
        if (text.Length == 0 || text.AsSpan().ContainsAnyExceptInRange('0', '9')) return true;
        if (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == uint.MaxValue) return false;
        id = number;
        return true;
    }
}
