using System.Globalization;

namespace Isolation.Planning;

/// <summary>A process, told from another that gets the same number later by its start time: fields 1 and 22 of /proc/PID/stat.</summary>
internal readonly record struct ProcessStamp(int ProcessId, ulong StartTime)
{
    /// <summary>Of proc_pid_stat(5); <c>default</c> when it is no such text.</summary>
    internal static ProcessStamp Parse(string stat)
    {
        var name = stat.LastIndexOf(')'); // the name before it may contain anything
        if (name < 0) return default;
        var fields = stat[(name + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return int.TryParse(stat.AsSpan(0, Math.Max(0, stat.IndexOf(' '))), CultureInfo.InvariantCulture, out var pid) &&
            fields.Length > 19 && ulong.TryParse(fields[19], CultureInfo.InvariantCulture, out var start) ? new ProcessStamp(pid, start) : default;
    }
}
