using Isolation.Planning;
using Isolation.Users;

namespace Isolation;

/// <summary>The part of <see cref="OptionsValidator"/> that looks at ids and their maps.</summary>
internal static class UserValidator
{
    private const int MaxMappings = 340; // user_namespaces(7), UID_GID_MAP_MAX_EXTENTS since Linux 4.15
    private const int MaxGroups = 65_536; // NGROUPS_MAX

    internal static void Validate(IsolationOptions options)
    {
        var user = options.User;
        Id(user.UserId, "the id");
        Id(user.GroupId, "the id");
        var inNamespace = (options.Namespaces & Namespaces.User) != 0;
        if (!inNamespace && (user.UserMap is not null || user.GroupMap is not null)) throw Invalid("has a map of ids, which needs Namespaces.User");
        if (!inNamespace && user.ForbidNestedUserNamespaces) throw Invalid("forbids nested user namespaces, which needs Namespaces.User");
        Name(user);
        if (user.UserMap is { } users) Map(users, "UserMap");
        if (user.GroupMap is { } groups) Map(groups, "GroupMap");
        var chosen = new ChosenUser(user);
        if (!chosen.IsLookedUp)
        {
            Contained(user.UserMap, chosen.UserId, "UserId", "UserMap");
            Contained(user.GroupMap, chosen.GroupId, "GroupId", "GroupMap");
        }

        if (user.SupplementaryGroups.Count > MaxGroups) throw Invalid($"has more than {MaxGroups} supplementary groups");
        foreach (var group in user.SupplementaryGroups)
        {
            Id(group, "the supplementary group");
            if (user.GroupMap is { } map && !Has(map, group)) throw Invalid($"has the supplementary group {group}, which its GroupMap does not have");
        }
    }

    private static void Name(UserOptions user)
    {
        if (user.Name is not { } name) return;
        if (user.UserId is not null || user.GroupId is not null) throw Invalid("has a Name beside a UserId or GroupId: one of them says who the program is");
        if (name.Length == 0) throw Invalid("has an empty Name; null is no name");
        OptionsValidator.NoNul(name, nameof(IsolationOptions.User));
        if (!UserName.TryParse(name, out _, out var problem)) throw Invalid($"has the Name '{name}', which {problem}");
    }

    internal static bool Has(IReadOnlyList<IdMapping> map, uint inside)
    {
        for (var i = 0; i < map.Count; i++)
            if (inside >= map[i].ShownId && inside - map[i].ShownId < map[i].Count) return true;
        return false;
    }

    private static void Contained(IReadOnlyList<IdMapping>? map, uint? id, string option, string mapOption)
    {
        if (map is null || Has(map, id ?? 0)) return;
        throw Invalid(id is null ? $"has a {mapOption} without 0, which is who the program is unless {option} says otherwise" : $"has the {option} {id}, which its {mapOption} does not have");
    }

    private static void Map(IReadOnlyList<IdMapping> map, string option)
    {
        if (map.Count == 0) throw Invalid($"has an empty {option}: nobody could be anybody inside");
        if (map.Count > MaxMappings) throw Invalid($"has {map.Count} mappings in its {option}; the kernel takes {MaxMappings}");
        for (var i = 0; i < map.Count; i++)
        {
            if (map[i] is not { } range) throw Invalid($"has null in its {option}");
            if (range.Count == 0) throw Invalid($"has a mapping without ids in its {option}");
            if ((ulong)range.HostId + range.Count > uint.MaxValue || (ulong)range.ShownId + range.Count > uint.MaxValue)
                throw Invalid($"has a mapping in its {option} that goes beyond 4294967294, the last id there is");
            for (var k = 0; k < i; k++)
            {
                if (Overlap(range.ShownId, map[k].ShownId, range.Count, map[k].Count) || Overlap(range.HostId, map[k].HostId, range.Count, map[k].Count))
                    throw Invalid($"has mappings in its {option} that overlap: {map[k]} and {range}");
            }
        }
    }

    private static bool Overlap(ulong first, ulong other, ulong count, ulong otherCount) => first < other + otherCount && other < first + count;

    private static void Id(uint? id, string what)
    {
        if (id == uint.MaxValue) throw Invalid($"has {what} 4294967295, which stands for 'no change' to the kernel");
    }

    internal static ArgumentException Invalid(string problem) => OptionsValidator.Invalid(nameof(IsolationOptions.User), problem);
}
