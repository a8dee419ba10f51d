using System.Diagnostics;

namespace Isolation.Benchmarks;

/// <summary>The job in Go, from a program that runs all the time and is built on the spot.</summary>
internal sealed class GoPeer : IDisposable
{
    private readonly FloorProcess? _process;
    private readonly string _title = "Go", _failure = "";

    internal GoPeer(Workspace workspace)
    {
        if (Workspace.Find("go") is not { } compiler)
        {
            _failure = "not installed";
            return;
        }

        _title = Peers.Title("go").Replace("go", "Go", StringComparison.Ordinal);
        var target = Path.Combine(workspace.Folder!, "peer");
        var info = new ProcessStartInfo(compiler, ["build", "-o", target, workspace.Extract("peer.go")]) { RedirectStandardError = true };
        info.Environment["GO111MODULE"] = "off";
        info.Environment["GOCACHE"] = Path.Combine(workspace.Folder!, "go-cache");
        using var process = Process.Start(info)!;
        var error = process.StandardError.ReadToEnd().Trim().ReplaceLineEndings(" ");
        process.WaitForExit();
        if (process.ExitCode == 0) _process = new FloorProcess(target, workspace.Program, workspace.Tree);
        else _failure = "cannot be built: " + error;
    }

    internal Way Way(PeerJob job)
    {
        if (_process is null) return new Way("go", _title, null, _failure);
        var command = job.InUser ? 'u' : 'n';
        try
        {
            _process.Measure(command);
        }
        catch (InvalidOperationException e)
        {
            return new Way("go", _title, null, "fails: " + e.Message);
        }

        return new Way("go", _title, () => _process.Measure(command), "SysProcAttr, and itself once more inside", ExitOnly: true);
    }

    public void Dispose() => _process?.Dispose();
}
