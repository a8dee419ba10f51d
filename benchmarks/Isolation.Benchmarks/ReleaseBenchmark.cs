using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Isolation.Benchmarks;

/// <summary>What is left to do when a sandbox is ready and only has to be released: against a whole start, and Process.Start, in turn in one run.</summary>
internal static class ReleaseBenchmark
{
    private const int Rounds = 400, WarmUp = 100;

    internal static int Run(string[] arguments)
    {
        if (arguments.Length > 0)
        {
            Console.Error.WriteLine("It takes no arguments.");
            return 2;
        }

        using var workspace = new Workspace(null);
        Series process = new(Rounds), start = new(Rounds), release = new(Rounds), releaseAsync = new(Rounds);
        try
        {
            for (var i = -WarmUp; i < Rounds; i++)
            {
                var sample = SpawnBenchmark.Second(() => Process(workspace.Program));
                if (i >= 0) process.Add(sample);
                sample = SpawnBenchmark.Second(() => SpawnBenchmark.StartIsolated(new IsolationOptions(workspace.Program)));
                if (i >= 0) start.Add(sample);
                sample = SpawnBenchmark.Second(() => Release(workspace.Program, isAsync: false));
                if (i >= 0) release.Add(sample);
                sample = SpawnBenchmark.Second(() => Release(workspace.Program, isAsync: true));
                if (i >= 0) releaseAsync.Add(sample);
            }
        }
        catch (IsolationException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\nDefault options, {Rounds} rounds in turn, microseconds to the return and to the program's exit\n{RuntimeInformation.OSDescription} · {Environment.ProcessorCount} CPUs · {(Environment.IsPrivilegedProcess ? "root" : "ordinary user")}"));
        Print("Process.Start, no isolation", process, release);
        Print("IsolatedProcess.Start", start, release);
        Print("Release of one that is suspended", release, release);
        Print("ReleaseAsync, awaited", releaseAsync, release);
        return 0;
    }

    private static Sample Process(string program)
    {
        var begin = Stopwatch.GetTimestamp();
        using var process = System.Diagnostics.Process.Start(program);
        var started = Stopwatch.GetElapsedTime(begin).TotalMicroseconds;
        process.WaitForExit();
        return new Sample(started, Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
    }

    private static Sample Release(string program, bool isAsync)
    {
        using var process = IsolatedProcess.StartSuspended(new IsolationOptions(program));
        var begin = Stopwatch.GetTimestamp();
        if (isAsync) process.ReleaseAsync().GetAwaiter().GetResult();
        else process.Release();
        var started = Stopwatch.GetElapsedTime(begin).TotalMicroseconds;
        process.WaitForExit();
        return new Sample(started, Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
    }

    private static void Print(string title, Series series, Series release) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"  {title,-36} return {series.Start(0.5),7:0} (99 %: {series.Start(0.99),7:0})  exit {series.Exit(0.5),7:0}  = {series.Start(0.5) / release.Start(0.5),5:0.0} x Release"));
}
