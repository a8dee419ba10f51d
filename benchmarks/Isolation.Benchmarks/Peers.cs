using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Isolation.Benchmarks;

/// <summary>
/// Other programs that build the same root, as fast as their options allow: the same folders, /proc, /dev and /tmp, no
/// capabilities, the program as process 1. What each does beyond that (control groups, its own supervisor) is its nature.
/// </summary>
internal sealed class Peers(FloorProcess floor, Workspace workspace)
{
    private readonly string _mark = Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture);

    internal IEnumerable<Way> For(bool everything)
    {
        yield return Way("bwrap", Bubblewrap(everything), leastOfExit: everything ? 0 : 4);
        yield return Way("runc", Runtime("runc", everything), rarely: true, leastOfExit: everything ? 0 : 20);
        yield return Way("crun", Runtime("crun", everything), rarely: true);
        yield return Way("unshare", Unshare(everything), "only the namespaces and /proc, on the host's tree");
    }

    private Way Way(string name, string[]? command, string note = "", bool rarely = false, double leastOfExit = 0)
    {
        if (command is null) return new Way(name, name, null, "not installed");
        var failure = Try(command);
        return failure is not null
            ? new Way(name, name, null, failure)
            : new Way(name, name, () => floor.Measure(command), note, rarely, ExitOnly: true, LeastOfExit: leastOfExit);
    }

    /// <summary>What goes wrong, or null.</summary>
    private static string? Try(string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        process.StandardInput.Close();
        var text = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEnd().Trim();
        process.WaitForExit();
        if (process.ExitCode == 0) return text.Result.Length == 0 ? null : "prints something";
        return "fails: " + (error.Length > 120 ? error[..120] + "…" : error).ReplaceLineEndings(" ");
    }

    private string[]? Bubblewrap(bool everything)
    {
        if (Workspace.Find("bwrap") is not { } path) return null;
        List<string> command = [path, "--unshare-pid", "--unshare-uts", "--unshare-ipc", "--unshare-cgroup"];
        if (everything) command.AddRange("--unshare-user", "--unshare-net");
        foreach (var folder in Workspace.TreeFolders) command.AddRange("--ro-bind", $"{workspace.Tree}/{folder}", "/" + folder);
        command.AddRange("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm", "--tmpfs", "/tmp", "--cap-drop", "ALL",
            "--new-session", "--clearenv", "--as-pid-1", Workspace.ProgramInTree);
        return [.. command];
    }

    private static string[]? Unshare(bool everything, string program)
    {
        if (Workspace.Find("unshare") is not { } path) return null;
        List<string> command = [path, "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "--mount-proc"];
        if (everything || !Environment.IsPrivilegedProcess) command.Add("--map-root-user");
        if (everything) command.Add("--net");
        command.Add(program);
        return [.. command];
    }

    private string[]? Unshare(bool everything) => Unshare(everything, workspace.Tree + Workspace.ProgramInTree);

    /// <summary>With a bundle of the Open Container Initiative, prepared once.</summary>
    private string[]? Runtime(string name, bool everything)
    {
        if (Workspace.Find(name) is not { } path) return null;
        var bundle = Path.Combine(workspace.Folder!, everything ? "bundle-everything" : "bundle");
        if (!Directory.Exists(bundle)) MakeBundle(bundle, everything);
        var state = Directory.CreateDirectory(Path.Combine(workspace.Folder!, "state-" + name)).FullName;
        return [path, "--root", state, "run", "--bundle", bundle, $"isolation-{_mark}-{name}-{(everything ? "everything" : "root")}"];
    }

    private void MakeBundle(string bundle, bool everything)
    {
        var root = Path.Combine(bundle, "rootfs");
        foreach (var folder in (string[])[.. Workspace.TreeFolders, "proc", "dev", "tmp"]) Directory.CreateDirectory(Path.Combine(root, folder));
        var inUser = everything || !Environment.IsPrivilegedProcess;
        var mounts = new JsonArray(
            Mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
            Mount("/dev", "tmpfs", "tmpfs", "nosuid", "noexec", "mode=755", "size=65536"),
            Mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
            Mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
            Mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777", "size=262144k"));
        foreach (var folder in Workspace.TreeFolders) mounts.Add(Mount("/" + folder, "bind", $"{workspace.Tree}/{folder}", "rbind", "ro", "nosuid", "nodev"));

        string[] namespaces = ["pid", "mount", "uts", "ipc", "cgroup", .. inUser ? (string[])["user"] : [], .. everything ? (string[])["network"] : []];
        var linux = new JsonObject { ["namespaces"] = new JsonArray([.. namespaces.Select(static n => (JsonNode)new JsonObject { ["type"] = n })]) };
        if (inUser)
        {
            linux["uidMappings"] = Mapping(File.ReadLines("/proc/self/status").First(static line => line.StartsWith("Uid:", StringComparison.Ordinal)));
            linux["gidMappings"] = Mapping(File.ReadLines("/proc/self/status").First(static line => line.StartsWith("Gid:", StringComparison.Ordinal)));
        }

        var config = new JsonObject
        {
            ["ociVersion"] = "1.0.2",
            ["process"] = new JsonObject
            {
                ["terminal"] = false,
                ["user"] = new JsonObject { ["uid"] = 0, ["gid"] = 0 },
                ["args"] = new JsonArray(Workspace.ProgramInTree),
                ["env"] = new JsonArray("PATH=/bin"),
                ["cwd"] = "/",
                ["capabilities"] = new JsonObject(),
                ["noNewPrivileges"] = true,
            },
            ["root"] = new JsonObject { ["path"] = "rootfs", ["readonly"] = true },
            ["mounts"] = mounts,
            ["linux"] = linux,
        };
        File.WriteAllText(Path.Combine(bundle, "config.json"), config.ToJsonString());
    }

    private static JsonArray Mapping(string line)
    {
        var id = long.Parse(line.Split('\t')[2], System.Globalization.CultureInfo.InvariantCulture);
        return new JsonArray(new JsonObject { ["containerID"] = 0, ["hostID"] = id, ["size"] = id == 0 ? 65536 : 1 });
    }

    private static JsonObject Mount(string place, string type, string source, params ReadOnlySpan<string> options)
    {
        var list = new JsonArray();
        foreach (var option in options) list.Add(option);
        return new JsonObject { ["destination"] = place, ["type"] = type, ["source"] = source, ["options"] = list };
    }
}
