using System.Globalization;
using Isolation.Interop;

namespace Isolation.Launching;

/// <summary>/etc/subuid and /etc/subgid: lines of owner:first:count, the owner by name or number. subuid(5).</summary>
internal static class SubordinateIdFile
{
    internal static IReadOnlyList<IdMapping> Map(string file, uint own)
    {
        const string step = "find this user's subordinate ids";
        string[] lines;
        try
        {
            lines = File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LaunchFailure.Host(step, null, 0, file, $"It cannot be read ({e.Message.TrimEnd('.')}). The package uidmap (Debian, Ubuntu) or shadow-utils has the tools for it");
        }

        var (name, number) = (Environment.UserName, Kernel.geteuid());
        var map = Map(lines, name, number, own);
        if (map.Count > 1) return map;
        throw LaunchFailure.Host(step, null, 0, file, name.Length == 0
            ? string.Create(CultureInfo.InvariantCulture, $"The user {number} is not in /etc/passwd, without which newuidmap works for nobody")
            : string.Create(CultureInfo.InvariantCulture, $"No line of it is for the user {name} ({number}). Root can add one: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}. What a directory service grants (nsswitch.conf, subid) is not looked for"));
    }

    /// <summary>The own id at 0, then one range after another. What is no range of ids is passed over, as is what a line before has.</summary>
    internal static List<IdMapping> Map(IEnumerable<string> lines, string name, uint number, uint own)
    {
        var map = new List<IdMapping> { new(own, 0) };
        var next = 1u;
        var numberText = number.ToString(CultureInfo.InvariantCulture);
        foreach (var line in lines)
        {
            var fields = line.Trim().Split(':');
            if (fields.Length != 3 || fields[0].Length == 0 || fields[0] != name && fields[0] != numberText) continue;
            if (!TryParse(fields[1], out var first) || !TryParse(fields[2], out var count)) continue;
            // Every id below 4294967295, on both sides.
            if (count == 0 || (ulong)first + count > uint.MaxValue || (ulong)next + count > uint.MaxValue) continue;
            if (map.Exists(range => first < (ulong)range.HostId + range.Count && range.HostId < (ulong)first + count)) continue;
            map.Add(new IdMapping(first, next, count));
            next += count;
        }

        return map;
    }

    private static bool TryParse(string text, out uint value) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
