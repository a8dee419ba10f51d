using System.Globalization;

namespace Isolation.Tests.Escapes;

/// <summary>A control group of the test's, with a limit of memory where there can be one.</summary>
internal sealed class ControlGroup : IDisposable
{
    private readonly string? _limit;

    private ControlGroup(string path)
    {
        Path = path;
        _limit = ((string[])["memory.max", "memory.limit_in_bytes"]).Select(name => $"{path}/{name}").FirstOrDefault(File.Exists);
        if (_limit is not null) File.WriteAllText(_limit, "536870912");
    }

    internal string Path { get; }

    internal string Name => System.IO.Path.GetFileName(Path);

    internal bool HasMemory => _limit is not null;

    internal string? Limit => _limit is null ? null : File.ReadAllText(_limit);

    /// <summary>Null where this user may make none.</summary>
    internal static ControlGroup? TryMake()
    {
        // hierarchy:controllers:path, the newest kind last.
        foreach (var line in File.ReadLines("/proc/self/cgroup").OrderByDescending(static line => line.Contains(":memory:", StringComparison.Ordinal)))
        {
            var fields = line.Split(':', 3);
            string[] roots = fields[1] switch { "" => ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], "memory" => ["/sys/fs/cgroup/memory"], _ => [] };
            foreach (var root in roots)
            {
                if (!File.Exists(root + "/cgroup.procs")) continue;
                // Beside the own one: a group with processes may not have groups with controllers below it.
                foreach (var parent in (string[])[System.IO.Path.GetDirectoryName(root + fields[2].TrimEnd('/'))!, root + fields[2].TrimEnd('/')])
                {
                    if (!parent.StartsWith(root, StringComparison.Ordinal)) continue;
                    try
                    {
                        return new ControlGroup(Directory.CreateDirectory(string.Create(CultureInfo.InvariantCulture, $"{parent}/isolation-{Environment.ProcessId}-{Random.Shared.Next():x}")).FullName);
                    }
                    catch (Exception e) when (e is UnauthorizedAccessException or IOException)
                    {
                        // another's
                    }
                }
            }
        }

        return null;
    }

    internal void Take(int pid) => File.WriteAllText(Path + "/cgroup.procs", pid.ToString(CultureInfo.InvariantCulture));

    public void Dispose()
    {
        // A process that has ended leaves its group a moment after.
        for (var end = Environment.TickCount64 + 5000; Directory.Exists(Path); Thread.Sleep(1))
        {
            try
            {
                Directory.Delete(Path);
            }
            catch (IOException) when (Environment.TickCount64 < end)
            {
                // not yet
            }
        }
    }
}
