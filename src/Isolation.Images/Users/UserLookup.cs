using System.Globalization;
using System.Text;

namespace Isolation.Images.Users;

/// <summary>
/// What an image's "user:group" means, by the image's own /etc/passwd and /etc/group, with Docker's rules: digits are always
/// a number, whether or not a user has it; without a group it is the user's own, or 0; names must exist.
/// </summary>
internal static class UserLookup
{
    internal static ImageUser Find(LayeredTree tree, string? text)
    {
        text ??= "0";
        var colon = text.IndexOf(':');
        var user = colon < 0 ? text : text[..colon];
        var group = colon < 0 ? "" : text[(colon + 1)..];
        if (user.Length == 0) user = "0";

        var userId = Number(user, "user");
        var entry = Lines(tree, "etc/passwd", 7).FirstOrDefault(fields => userId is { } id ? fields[2] == Text(id) : fields[0] == user);
        if (entry is null && userId is null) throw Unknown("user", user, "/etc/passwd");
        userId ??= FieldNumber(entry![2], "/etc/passwd");
        var groupId = entry is null ? 0 : FieldNumber(entry[3], "/etc/passwd");
        if (group.Length > 0)
        {
            groupId = Number(group, "group")
                ?? (Lines(tree, "etc/group", 3).FirstOrDefault(fields => fields[0] == group) is { } found
                    ? FieldNumber(found[2], "/etc/group") : throw Unknown("group", group, "/etc/group"));
        }

        return new(userId.Value, groupId, entry is [_, _, _, _, _, { Length: > 0 } home, ..] ? home : "/");
    }

    private static IEnumerable<string[]> Lines(LayeredTree tree, string path, int least)
    {
        if (tree.TryRead(path) is not { } content) yield break;
        foreach (var line in Encoding.UTF8.GetString(content).Split('\n'))
        {
            var fields = line.TrimEnd('\r').Split(':');
            if (fields.Length >= least && fields[0].Length > 0 && fields[0][0] != '#') yield return fields;
        }
    }

    /// <summary>A number, or null for a name.</summary>
    private static uint? Number(string text, string what)
    {
        if (text.AsSpan().ContainsAnyExceptInRange('0', '9')) return null;
        if (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number != uint.MaxValue) return number;
        throw new ImageException($"wants to run as the {what} {ImageException.Printable(text)}, which cannot be", "Ids end at 4294967294");
    }

    private static uint FieldNumber(string text, string file) =>
        text.Length > 0 && Number(text, "user or group") is { } number ? number
        : throw new ImageException($"has a damaged line in its {file}: '{ImageException.Printable(text)}' is no number");

    private static string Text(uint id) => id.ToString(CultureInfo.InvariantCulture);

    private static ImageException Unknown(string what, string name, string file) =>
        new($"wants to run as the {what} '{ImageException.Printable(name)}', who is not in its {file}", "Set UserId and GroupId of the options' User yourself");
}
