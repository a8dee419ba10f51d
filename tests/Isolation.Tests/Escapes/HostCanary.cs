using System.Globalization;
using System.Text;
using FluentAssertions;
using Isolation.Tests.Support;

namespace Isolation.Tests.Escapes;

/// <summary>What of the host an escape would change: files, mounts, settings of the kernel, limits, ids, control groups. Taken before, compared after.</summary>
internal sealed class HostCanary : IDisposable
{
    private static readonly string[] s_settings = ["kernel/core_pattern", "kernel/hostname", "kernel/domainname", "kernel/modprobe", "kernel/sysrq", "vm/overcommit_memory"];

    private readonly TemporaryFolder _folder = new("canary-");
    private readonly string _before;

    internal HostCanary()
    {
        _folder.File("file", "the host's\n");
        Directory.CreateDirectory(Folder + "/folder");
        _before = Take();
    }

    /// <summary>A folder of the host with a file and a folder in it.</summary>
    internal string Folder => _folder.Path;

    internal void IsUnharmed() => Take().Should().Be(_before);

    public void Dispose() => _folder.Dispose();

    private string Take()
    {
        var text = new StringBuilder();
        foreach (var line in Trees.Content(Folder)) text.AppendLine(line);
        text.AppendLine(File.ReadAllText(Folder + "/file"));
        foreach (var setting in s_settings)
            if (File.Exists("/proc/sys/" + setting)) text.AppendLine(CultureInfo.InvariantCulture, $"{setting} {Read("/proc/sys/" + setting)}");
        // Namespaces that are held by a mount are another test's.
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
            if (!line.Contains(" - nsfs ", StringComparison.Ordinal)) text.AppendLine(line);
        foreach (var file in (string[])["limits", "cgroup", "uid_map", "oom_score_adj"]) text.Append(Read("/proc/self/" + file));
        foreach (var field in (string[])["Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapBnd", "Umask"])
            text.AppendLine(CultureInfo.InvariantCulture, $"{field} {HostView.StatusField(Environment.ProcessId, field)}");
        foreach (var (_, link) in HostView.Links) text.AppendLine(HostView.Namespace(Environment.ProcessId, link));
        return text.ToString();
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (UnauthorizedAccessException)
        {
            return "not for this user";
        }
    }
}
