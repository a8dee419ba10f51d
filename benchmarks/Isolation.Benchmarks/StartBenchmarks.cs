using System.Diagnostics;
using BenchmarkDotNet.Attributes;

namespace Isolation.Benchmarks;

/// <summary>
/// One start each. An operation ends when Start returns; waiting for the program and disposing is clean-up, between the
/// iterations. The programs of an iteration end while the next ones are started, which costs all ways to start alike.
/// </summary>
[InProcess] // from any folder, without another build
[MemoryDiagnoser]
[InvocationCount(Invocations, unrollFactor: 1)]
[IterationCount(30)]
[WarmupCount(8)]
public class StartBenchmarks
{
    private const int Invocations = 32;

    private readonly IDisposable?[] _started = new IDisposable?[Invocations];
    private int _count;
    private Workspace _workspace = null!;
    private ProcessStartInfo _info = null!;
    private IsolationOptions _pidMountProc = null!, _defaults = null!;

    /// <summary>Builds the program that is started.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _workspace = new Workspace(null);
        _info = new ProcessStartInfo(_workspace.Program);
        _pidMountProc = Scenario.PidMountProc(_workspace.Program);
        _defaults = new IsolationOptions(_workspace.Program);
    }

    /// <summary>Waits for what an iteration has started.</summary>
    [IterationCleanup]
    public void Finish()
    {
        for (; _count > 0; _count--)
        {
            var started = _started[_count - 1]!;
            if (started is Process process) process.WaitForExit();
            if (started is IsolatedProcess isolated) isolated.WaitForExit();
            started.Dispose();
        }
    }

    /// <summary>Removes the program.</summary>
    [GlobalCleanup]
    public void CleanUp() => _workspace.Dispose();

    /// <summary>The yardstick: no isolation at all.</summary>
    [Benchmark(Baseline = true, Description = "Process.Start")]
    public void StartProcess() => _started[_count++] = Process.Start(_info);

    /// <summary>Process 1 of its own PID namespace with a procfs to match.</summary>
    [Benchmark(Description = "IsolatedProcess.Start, pid + mount + /proc")]
    public void StartPidMountProc() => _started[_count++] = IsolatedProcess.Start(_pidMountProc);

    /// <summary>The defaults.</summary>
    [Benchmark(Description = "IsolatedProcess.Start, default options")]
    public void StartDefault() => _started[_count++] = IsolatedProcess.Start(_defaults);
}
