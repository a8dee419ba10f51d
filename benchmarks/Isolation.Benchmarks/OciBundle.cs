using System.Globalization;
using System.Text.Json.Nodes;

namespace Isolation.Benchmarks;

/// <summary>The job as a bundle of the Open Container Initiative, for runc and crun.</summary>
internal static class OciBundle
{
    internal static string Of(Workspace workspace, PeerJob job)
    {
        var bundle = Path.Combine(workspace.Folder!, "bundle-" + job.Name);
        if (File.Exists(bundle + "/config.json")) return bundle;
        Root(workspace, job, filled: false);
        File.WriteAllText(Path.Combine(bundle, "config.json"), Configuration(workspace, job).ToJsonString());
        return bundle;
    }

    /// <summary>A root with places for what is mounted, and where it is filled with all of it, for programs that bind nothing.</summary>
    internal static string Root(Workspace workspace, PeerJob job, bool filled)
    {
        var root = Path.Combine(workspace.Folder!, "bundle-" + job.Name, filled ? "filled" : "rootfs");
        foreach (var folder in (string[])[.. Workspace.TreeFolders, "proc", "dev", "tmp"]) Directory.CreateDirectory(Path.Combine(root, folder));
        if (!filled) return root;
        foreach (var folder in (string[])["sys", "run", "usr", "var"]) Directory.CreateDirectory(Path.Combine(root, folder));
        File.Copy(workspace.Tree + Workspace.ProgramInTree, root + Workspace.ProgramInTree, overwrite: true);
        File.WriteAllText(root + "/etc/os-release", "");
        return root;
    }

    private static JsonObject Configuration(Workspace workspace, PeerJob job)
    {
        var mounts = new JsonArray(
            Mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
            Mount("/dev", "tmpfs", "tmpfs", "nosuid", "noexec", "mode=755", "size=65536"),
            Mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
            Mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
            Mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777", "size=262144k"));
        foreach (var folder in Workspace.TreeFolders) mounts.Add(Mount("/" + folder, "bind", $"{workspace.Tree}/{folder}", "rbind", "ro", "nosuid", "nodev"));

        string[] namespaces = ["pid", "mount", "uts", "ipc", "cgroup", .. job.InUser ? (string[])["user"] : [], .. job.Network ? (string[])["network"] : []];
        var linux = new JsonObject { ["namespaces"] = new JsonArray([.. namespaces.Select(static n => (JsonNode)new JsonObject { ["type"] = n })]) };
        if (job.InUser)
        {
            linux["uidMappings"] = Mapping("Uid:");
            linux["gidMappings"] = Mapping("Gid:");
        }

        return new JsonObject
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
    }

    private static JsonArray Mapping(string name)
    {
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        var id = long.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture);
        return new JsonArray(new JsonObject { ["containerID"] = 0, ["hostID"] = id, ["size"] = id == 0 ? 65536 : 1 });
    }

    private static JsonObject Mount(string place, string type, string source, params ReadOnlySpan<string> options)
    {
        var list = new JsonArray();
        foreach (var option in options) list.Add(option);
        return new JsonObject { ["destination"] = place, ["type"] = type, ["source"] = source, ["options"] = list };
    }
}
