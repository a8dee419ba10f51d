using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The command lines of programs that need no daemon; none where the program is not installed.</summary>
internal sealed class PeerCommands(Workspace workspace)
{
    private static readonly string s_mark = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);

    internal IEnumerable<string[]> Bubblewrap(PeerJob job)
    {
        if (Workspace.Find("bwrap") is not { } path) yield break;
        List<string> command = [path, "--unshare-pid", "--unshare-uts", "--unshare-ipc", "--unshare-cgroup"];
        if (job.InUser) command.Add("--unshare-user");
        if (job.Network) command.Add("--unshare-net");
        foreach (var folder in Workspace.TreeFolders) command.AddRange("--ro-bind", $"{workspace.Tree}/{folder}", "/" + folder);
        command.AddRange("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm", "--tmpfs", "/tmp", "--cap-drop", "ALL",
            "--new-session", "--clearenv", "--as-pid-1", Workspace.ProgramInTree);
        yield return [.. command];
    }

    /// <summary>With a bundle of the Open Container Initiative, prepared once.</summary>
    internal IEnumerable<string[]> Runtime(string name, PeerJob job)
    {
        if (Workspace.Find(name) is not { } path) yield break;
        var bundle = OciBundle.Of(workspace, job);
        var state = Directory.CreateDirectory(Path.Combine(workspace.Folder!, "state-" + name)).FullName;
        string[] run = ["run", "--bundle", bundle, $"isolation-{s_mark}-{name}-{job.Name}"];
        yield return [path, "--root", state, .. run];
        if (name == "crun") yield return [path, "--root", state, "--cgroup-manager=disabled", .. run]; // version 1 and 2 at once: not for crun
    }

    internal IEnumerable<string[]> Unshare(PeerJob job)
    {
        if (Workspace.Find("unshare") is not { } path || Loader() is not { } loader) yield break;
        List<string> command = [path, "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup"];
        if (job.InUser) command.Add("--map-root-user");
        if (job.Network) command.Add("--net");
        var folder = Path.GetFileName(Path.GetDirectoryName(loader))!; // x86_64-linux-gnu, where there is such a thing
        string[] libraries = [$"/old/lib/{folder}", $"/old/usr/lib/{folder}", "/old/lib64", "/old/usr/lib64", "/old/lib", "/old/usr/lib"];
        yield return [.. command, "/bin/sh", "-e", workspace.Extract("peer.sh"), loader, string.Join(':', libraries), workspace.Tree];
    }

    /// <summary>What the host's programs are loaded by, below the old root where links that begin with / lead astray.</summary>
    private static string? Loader() =>
        ((string[])["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"])
        .Where(File.Exists)
        .Select(static path => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path)
        .FirstOrDefault();

    internal IEnumerable<string[]> Firejail(PeerJob job)
    {
        if (Workspace.Find("firejail") is not { } path) yield break;
        List<string> command = [path, "--quiet", "--noprofile", "--private-dev", "--private-tmp", "--caps.drop=all", "--nonewprivs", "--ipc-namespace"];
        if (job.Network) command.Add("--net=none");
        if (job.InUser) command.Add("--noroot");
        yield return [.. command, workspace.Tree + Workspace.ProgramInTree];
    }

    internal IEnumerable<string[]> Nspawn(PeerJob job)
    {
        if (Workspace.Find("systemd-nspawn") is not { } path) yield break;
        List<string> command =
        [
            path, "--quiet", "--register=no", "--keep-unit", "--console=pipe", "--read-only", "--timezone=off", "--no-new-privileges=yes",
            $"--machine=isolation-{s_mark}", "--directory=" + OciBundle.Root(workspace, job, filled: true),
        ];
        if (job.Network) command.Add("--private-network");
        if (job.User) command.Add("--private-users=identity");
        yield return [.. command, Workspace.ProgramInTree];
    }
}
