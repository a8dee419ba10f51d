using System.Diagnostics;
using System.Globalization;

namespace Isolation.TestHost;

/// <summary>Very many starts, in a row and at once, after which the host is as before.</summary>
internal static class Leaks
{
    private const int WarmUp = 300;

    internal static int Run(string[] arguments)
    {
        var (row, threads, each) = (Number(arguments[0]), Number(arguments[1]), Number(arguments[2]));
        Console.WriteLine("warming up");
        Basics.Run([]);
        InParallel(threads, WarmUp / threads + 1);
        InARow(WarmUp);
        var (state, managed, resident) = Measure();
        var watch = Stopwatch.StartNew();
        InARow(row);
        Compare($"{row} starts in a row", watch.Elapsed, state, managed, resident);
        watch.Restart();
        InParallel(threads, each);
        Compare($"{threads} x {each} starts at once", watch.Elapsed, state, managed, resident);
        return 0;
    }

    private static void InARow(int count)
    {
        for (var i = 0; i < count; i++) One(i);
    }

    private static void InParallel(int threads, int each)
    {
        var workers = new Task[threads];
        for (var t = 0; t < threads; t++) workers[t] = Task.Factory.StartNew(() => InARow(each), TaskCreationOptions.LongRunning);
        Task.WaitAll(workers);
    }

    /// <summary>Every way to start, wait and fail in turn.</summary>
    private static void One(int i)
    {
        switch (i % 6)
        {
            case 0:
                Expect.Equal(IsolatedProcess.Run(new IsolationOptions("true")).ExitCode, 0, "the exit code");
                break;
            case 1:
                Expect.Equal(IsolatedProcess.RunAndCaptureText(new IsolationOptions("echo", "hello")).StandardOutput, "hello\n", "standard output");
                break;
            case 2:
                var text = IsolatedProcess.RunAndCaptureTextAsync(new IsolationOptions("echo", "hello") { UseInit = true }).GetAwaiter().GetResult();
                Expect.Equal(text.StandardOutput, "hello\n", "standard output");
                break;
            case 3:
                var piped = new IsolationOptions("sleep", "1000") { StandardInput = StandardStream.Pipe, StandardOutput = StandardStream.Pipe };
                using (IsolatedProcess.Start(piped)) break;
            case 4:
                try
                {
                    IsolatedProcess.Run(new IsolationOptions("no-such-program"));
                    throw new InvalidOperationException("A program that does not exist ran.");
                }
                catch (IsolationException)
                {
                    break;
                }

            default:
                using (var cancellation = new CancellationTokenSource())
                {
                    var run = IsolatedProcess.RunAsync(new IsolationOptions("sleep", "1000"), cancellation.Token);
                    cancellation.Cancel();
                    try
                    {
                        Expect.True(run.GetAwaiter().GetResult().Canceled, "the status says canceled");
                    }
                    catch (OperationCanceledException)
                    {
                        // canceled before the program ran
                    }
                }

                break;
        }
    }

    private static (string State, long Managed, long Resident) Measure()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        // How many entries of a table and how many arenas of the pool were in use at once depends on the scheduler.
        var lines = HostState.Take().Split('\n').Where(line => !line.StartsWith("entries", StringComparison.Ordinal)).ToList();
        var arenas = lines.RemoveAll(line => line.StartsWith("fd /memfd:isolation-program", StringComparison.Ordinal));
        Expect.True(arenas <= MaxArenas, $"{arenas} memory files of plans are no more than the pool keeps");
        return (string.Join('\n', lines), GC.GetTotalMemory(true), Environment.WorkingSet);
    }

    private static void Compare(string what, TimeSpan time, string state, long managed, long resident)
    {
        var (stateNow, managedNow, residentNow) = Measure();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what} in {time.TotalSeconds:0.0} s: " +
            $"managed memory {(managedNow - managed) / 1024:+0;-0;0} KiB, resident {(residentNow - resident) / 1024:+0;-0;0} KiB"));
        HostState.ExpectSame(state, stateNow, what);
        // Buffers that pools keep for each thread: the same after 20,000 starts as after 1,000.
        Expect.True(managedNow - managed < 1 << 20, "managed memory does not grow");
        Expect.True(residentNow - resident < 32 << 20, "resident memory does not grow");
    }

    /// <summary>Those of the pool, and the one that the guard keeps for as long as it lives.</summary>
    private const int MaxArenas = 17;

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
