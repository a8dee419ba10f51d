using Isolation.Users;

namespace Isolation;

// Who a program is that joins namespaces.
public sealed partial class UserOptions
{
    /// <summary>Whether it is said who the program is.</summary>
    internal bool IsGiven => UserId is not null || GroupId is not null || Name is not null || SupplementaryGroups.Count > 0;

    internal UserOptions Copy()
    {
        var result = (UserOptions)MemberwiseClone();
        if (SupplementaryGroups.Count > 0) result.SupplementaryGroups = [.. SupplementaryGroups];
        return result;
    }

    /// <summary>Whether a copy is still the same.</summary>
    internal bool Matches(UserOptions copy) =>
        UserId == copy.UserId && GroupId == copy.GroupId && Name == copy.Name && UserMap == copy.UserMap && GroupMap == copy.GroupMap &&
        ForbidNestedUserNamespaces == copy.ForbidNestedUserNamespaces && SupplementaryGroups.Count == copy.SupplementaryGroups.Count &&
        (SupplementaryGroups.Count == 0 || SupplementaryGroups.SequenceEqual(copy.SupplementaryGroups));

    /// <summary>This one, or else the sandbox's own user; with the sandbox's maps where its user namespace is joined.</summary>
    /// <param name="sandbox">Whose the sandbox's first program is.</param>
    /// <param name="found">Who that turned out to be when it was started. Its files may say something else by now.</param>
    /// <param name="keepsMaps">The user namespace is joined.</param>
    internal UserOptions Within(UserOptions sandbox, FoundUser? found, bool keepsMaps)
    {
        var result = Copy();
        if (keepsMaps) (result.UserMap, result.GroupMap) = (sandbox.UserMap, sandbox.GroupMap);
        if (IsGiven) return result;
        (result.UserId, result.GroupId, result.Name) = (sandbox.UserId, sandbox.GroupId, sandbox.Name);
        result.SupplementaryGroups = [.. sandbox.SupplementaryGroups];
        if (found is not { } user) return result;
        (result.UserId, result.GroupId, result.Name) = (user.UserId, user.GroupId, null);
        result.SupplementaryGroups = [.. user.OtherGroups, .. sandbox.SupplementaryGroups];
        return result;
    }
}
