using System.Globalization;
using System.Text;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>Looks at the process we run in.</summary>
internal static class Host
{
    private static readonly Lazy<Fixed> s_fixed = new(Look);
    private static readonly Lazy<bool> s_reapsEverything = new(ReapProbe.Run);

    private sealed record Fixed(int LastCapability, string UserMap, string GroupMap, ulong IgnoredSignals);

    internal static HostFacts Facts()
    {
        var known = s_fixed.Value;
        return new HostFacts(Kernel.geteuid(), Kernel.getegid(), Kernel.EffectiveCapabilities(), known.LastCapability, known.UserMap, known.GroupMap,
            known.IgnoredSignals, s_reapsEverything.Value);
    }

    /// <summary>The highest capability of this kernel.</summary>
    internal static int LastCapability => s_fixed.Value.LastCapability;

    /// <summary>A field of /proc/self/status.</summary>
    internal static string? Status(string field)
    {
        var prefix = field + ":";
        foreach (var line in ReadLines("/proc/self/status"))
            if (line.StartsWith(prefix, StringComparison.Ordinal)) return line[prefix.Length..].Trim();
        return null;
    }

    internal static ulong StatusMask(string field) =>
        ulong.TryParse(Status(field), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value) ? value : 0;

    /// <summary>A kernel setting such as "user/max_user_namespaces", or null where there is none.</summary>
    internal static string? Setting(string name)
    {
        try
        {
            return File.ReadAllText("/proc/sys/" + name).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static Fixed Look()
    {
        var lastCapability = int.TryParse(Setting("kernel/cap_last_cap"), CultureInfo.InvariantCulture, out var last) ? last : 40;
        return new Fixed(lastCapability, IdentityMap("/proc/self/uid_map"), IdentityMap("/proc/self/gid_map"), StatusMask("SigIgn"));
    }

    /// <summary>Every id that exists here under its own number: in a container the ids may come in several ranges.</summary>
    private static string IdentityMap(string path)
    {
        var map = new StringBuilder();
        foreach (var line in ReadLines(path))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 3) map.Append(CultureInfo.InvariantCulture, $"{fields[0]} {fields[0]} {fields[2]}\n");
        }

        return map.Length > 0 ? map.ToString() : "0 0 4294967295\n";
    }

    private static IEnumerable<string> ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
