namespace Isolation.Benchmarks;

/// <summary>The command lines of podman and docker, with an image made of the tree: nothing is pulled, and nothing stays behind.</summary>
internal sealed class ContainerEngines(Workspace workspace) : IDisposable
{
    private readonly string _image = $"isolation-benchmark-{Environment.ProcessId}";
    private string? _docker;

    /// <summary>The least that it can be told to do; with limits that it may set, and with each runtime, since not every one works everywhere.</summary>
    internal IEnumerable<string[]> Podman(PeerJob job)
    {
        if (Workspace.Find("podman") is not { } path) yield break;
        string[] limits = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"];
        string[] run =
        [
            "run", "--rm", "--network=none", "--no-hosts", "--log-driver=none", "--cap-drop=all", "--security-opt=no-new-privileges",
            "--security-opt=seccomp=unconfined", "--read-only", .. job.User && Environment.IsPrivilegedProcess ? (string[])["--uidmap=0:0:65536"] : [],
        ];
        string[] program = ["--rootfs", OciBundle.Root(workspace, job, filled: true), Workspace.ProgramInTree];
        yield return [path, .. run, "--cgroups=disabled", .. limits, .. program];
        yield return [path, "--runtime=runc", "--cgroup-manager=cgroupfs", .. run, .. limits, .. program];
    }

    /// <summary>Of a daemon that runs already, the one that DOCKER_HOST names for example.</summary>
    internal IEnumerable<string[]> Docker(PeerJob job)
    {
        if (Workspace.Find("docker") is not { } path) yield break;
        if (!HasImage(path, job)) yield return [path, "info"]; // fails, and says why
        else
            yield return
            [
                path, "run", "--rm", "--network=none", "--log-driver=none", "--cap-drop=ALL", "--security-opt=no-new-privileges",
                "--security-opt=seccomp=unconfined", "--read-only", _image, Workspace.ProgramInTree,
            ];
    }

    private bool HasImage(string path, PeerJob job)
    {
        if (_docker is not null) return true;
        var archive = Path.Combine(workspace.Folder!, "image.tar");
        if (!File.Exists(archive)) System.Formats.Tar.TarFile.CreateFromDirectory(OciBundle.Root(workspace, job, filled: true), archive, includeBaseDirectory: false);
        if (Peers.Execute([path, "import", archive, _image], out _, out _) != 0) return false;
        _docker = path;
        return true;
    }

    public void Dispose()
    {
        if (_docker is not null) Peers.Execute([_docker, "rmi", "--force", _image], out _, out _);
    }
}
