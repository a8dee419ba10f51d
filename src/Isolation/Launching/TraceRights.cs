using System.Globalization;
using Isolation.Interop;

namespace Isolation.Launching;

/// <summary>
/// Whether a process that would see a joining one has CAP_SYS_PTRACE, or can get it by executing something. Asked only of sandboxes that this app has not
/// made and that have no user namespace of their own: of its own ones it knows.
/// </summary>
internal static class TraceRights
{
    /// <summary>Of the processes of a PID namespace, given by a link of /proc; or of a single one.</summary>
    internal static bool HasAny(string pidNamespace, int only)
    {
        if (only > 0) return Has(only);
        return new FileInfo(pidNamespace).LinkTarget is { } wanted && HasAnyIn(wanted);
    }

    /// <summary>Of the processes of a PID namespace, given by its number.</summary>
    internal static bool HasAny(ulong pidNamespace) => HasAnyIn(string.Create(CultureInfo.InvariantCulture, $"pid:[{pidNamespace}]"));

    private static bool HasAnyIn(string pidNamespace)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(folder.AsSpan("/proc/".Length), CultureInfo.InvariantCulture, out var pid)) continue;
            try
            {
                if (new FileInfo(folder + "/ns/pid").LinkTarget == pidNamespace && Has(pid)) return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Gone meanwhile, or another user's, who is not root's.
            }
        }

        return false;
    }

    private static bool Has(int pid)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status");
        var gains = Host.Field(path, "NoNewPrivs") != "1";
        return Has(path, "CapPrm") || gains && Has(path, "CapBnd") && Host.Field(path, "Uid")?.Split('\t') is { } ids && Array.IndexOf(ids, "0") >= 0;
    }

    private static bool Has(string path, string field) =>
        ulong.TryParse(Host.Field(path, field), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var mask) && (mask >> Linux.CAP_SYS_PTRACE & 1) != 0;
}
