using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Isolation.Benchmarks;

/// <summary>
/// Other programs that do the same job, as fast as their options allow: the same folders, /proc, /dev and /tmp, no
/// capabilities, the program as process 1. What each does beyond that (control groups, its own supervisor) is its nature.
/// Each is tried once; the one that fails is listed with the reason.
/// </summary>
internal sealed partial class Peers(FloorProcess floor, Workspace workspace) : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly PeerCommands _commands = new(workspace);
    private readonly ContainerEngines _engines = new(workspace);
    private GoPeer? _go;

    /// <summary>Those that have little else to do.</summary>
    internal IEnumerable<Way> Few(PeerJob job)
    {
        yield return Way("bwrap", _commands.Bubblewrap(job), leastOfExit: 5);
        yield return Way("runc", _commands.Runtime("runc", job), every: 10, leastOfExit: 25);
        yield return Way("crun", _commands.Runtime("crun", job), every: 10);
        yield return Way("unshare", _commands.Unshare(job), "a script with unshare, mount and pivot_root", every: 10);
    }

    internal IEnumerable<Way> All(PeerJob job)
    {
        foreach (var way in Few(job)) yield return way;
        _go ??= new GoPeer(workspace);
        yield return _go.Way(job);
        yield return Way("firejail", _commands.Firejail(job), "on the host's tree, it has no other by default", every: 10);
        yield return Way("systemd-nspawn", _commands.Nspawn(job), "its folder is the root, nothing is put together", every: 20);
        yield return Way("podman", _engines.Podman(job), every: 20);
        yield return job.User
            ? new Way("docker", Title("docker"), null, "user namespaces are a setting of its daemon, for all containers or none")
            : Way("docker", _engines.Docker(job), "the client's memory, not the daemon's", every: 20, leastOfExit: 200);
    }

    public void Dispose()
    {
        _go?.Dispose();
        _engines.Dispose();
    }

    private Way Way(string name, IEnumerable<string[]> candidates, string note = "", int every = 1, double leastOfExit = 0)
    {
        var failure = "not installed";
        foreach (var command in candidates)
        {
            failure = Try(command);
            if (failure is null)
                return new Way(name, Title(name), () => floor.Measure(command, once: every > 1), note, every, ExitOnly: true, LeastOfExit: leastOfExit);
        }

        return new Way(name, name, null, failure);
    }

    /// <summary>With its version.</summary>
    internal static string Title(string name)
    {
        if (Workspace.Find(name) is not { } path) return name;
        Execute([path, name == "go" ? "version" : "--version"], out var text, out _);
        return Version().Match(text) is { Success: true } match ? $"{name} {match.Value}" : name;
    }

    [GeneratedRegex(@"\d+(\.\d+)+|(?<=^systemd )\d+")]
    private static partial Regex Version();

    /// <summary>What goes wrong, or null.</summary>
    private static string? Try(string[] command)
    {
        var code = Execute(command, out var text, out var error);
        if (code == 0) return text.Length == 0 ? null : "prints something";
        error = error.Trim().ReplaceLineEndings(" ");
        return error.Length == 0 ? $"fails with {code}" : "fails: " + (error.Length > 120 ? error[..120] + "…" : error);
    }

    internal static int Execute(string[] command, out string output, out string error)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        process.StandardInput.Close();
        var (text, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(s_patience)) process.Kill(entireProcessTree: true);
        process.WaitForExit();
        (output, error) = (text.Result, errors.Result);
        return process.ExitCode;
    }
}
