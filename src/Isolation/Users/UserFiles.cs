using System.Buffers.Text;
using System.Text;

namespace Isolation.Users;

/// <summary>
/// What a name means by passwd(5) and group(5), whoever has written them: who is named must be there, with numbers that can be; all other
/// lines may be anything.
/// </summary>
internal static class UserFiles
{
    internal const string Passwd = "/etc/passwd";
    internal const string Group = "/etc/group";

    private const byte Colon = (byte)':';

    /// <exception cref="IsolationException">There is no such user or group.</exception>
    internal static FoundUser Find(in UserName name, ReadOnlySpan<byte> passwd, ReadOnlySpan<byte> groups)
    {
        var entry = FindUser(name, passwd);
        if (entry.IsEmpty && name.UserId is null) throw Unknown("user", name.User!, Passwd);
        var userId = name.UserId ?? Number(Field(entry, 2), name.User!, Passwd);
        var groupId = name.GroupId ?? (name.Group is { } group ? FindGroup(group, groups) : entry.IsEmpty ? 0 : Number(Field(entry, 3), name.User ?? "" + userId, Passwd));
        // As Docker has it: who asks for a group gets that one alone.
        var others = new List<uint>();
        if (!name.HasGroup && !entry.IsEmpty) AddGroupsOf(Field(entry, 0), groups, groupId, others);
        var home = entry.IsEmpty ? default : Field(entry, 5);
        return new FoundUser(userId, groupId, others, home.IsEmpty || home.Contains((byte)0) ? "/"u8.ToArray() : home.ToArray());
    }

    private static ReadOnlySpan<byte> FindUser(in UserName name, ReadOnlySpan<byte> passwd)
    {
        var wanted = name.User is { } user ? Encoding.UTF8.GetBytes(user) : null;
        while (TryReadLine(ref passwd, 7, out var line))
        {
            if (wanted is not null ? Field(line, 0).SequenceEqual(wanted) : TryParse(Field(line, 2), out var id) && id == name.UserId) return line;
        }

        return default;
    }

    private static uint FindGroup(string name, ReadOnlySpan<byte> groups)
    {
        var wanted = Encoding.UTF8.GetBytes(name);
        while (TryReadLine(ref groups, 3, out var line))
            if (Field(line, 0).SequenceEqual(wanted)) return Number(Field(line, 2), name, Group);
        throw Unknown("group", name, Group);
    }

    private static void AddGroupsOf(ReadOnlySpan<byte> user, ReadOnlySpan<byte> groups, uint own, List<uint> found)
    {
        while (TryReadLine(ref groups, 4, out var line))
        {
            if (!TryParse(Field(line, 2), out var id) || id == own || found.Contains(id)) continue;
            var members = Field(line, 3);
            foreach (var range in members.Split((byte)','))
            {
                if (!members[range].SequenceEqual(user)) continue;
                found.Add(id);
                break;
            }
        }
    }

    /// <summary>The next line with so many fields at least that is no comment.</summary>
    private static bool TryReadLine(scoped ref ReadOnlySpan<byte> text, int fields, out ReadOnlySpan<byte> line)
    {
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)'\n');
            line = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
            if (line.EndsWith("\r"u8)) line = line[..^1];
            if (line.Count(Colon) >= fields - 1 && line[0] is not (Colon or (byte)'#')) return true;
        }

        line = default;
        return false;
    }

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> line, int index)
    {
        for (; index > 0; index--) line = line[(line.IndexOf(Colon) + 1)..];
        var end = line.IndexOf(Colon);
        return end < 0 ? line : line[..end];
    }

    private static uint Number(ReadOnlySpan<byte> field, string name, string file) => TryParse(field, out var id) ? id : throw new IsolationException(
        "find the user or group", null, 0, name, $"The sandbox's {file} gives them the number '{Printable(field)}', which is none from 0 to 4294967294");

    private static bool TryParse(ReadOnlySpan<byte> field, out uint id)
    {
        id = 0;
        return field.Length is > 0 and <= 10 && !field.ContainsAnyExceptInRange((byte)'0', (byte)'9') && Utf8Parser.TryParse(field, out id, out _) && id != uint.MaxValue;
    }

    private static IsolationException Unknown(string what, string name, string file) =>
        new("find the " + what, null, 0, name, $"The sandbox's {file} has nobody of that name, or does not exist; a number needs no entry");

    /// <summary>For messages: the file may have been made to confuse whoever reads them.</summary>
    private static string Printable(ReadOnlySpan<byte> text)
    {
        var shown = new StringBuilder();
        foreach (var one in text[..Math.Min(text.Length, 40)]) shown.Append(one is >= 0x20 and < 0x7f ? (char)one : '?');
        return shown.ToString();
    }
}
