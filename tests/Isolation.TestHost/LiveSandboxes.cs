using System.Diagnostics;
using System.Globalization;

namespace Isolation.TestHost;

/// <summary>Very many sandboxes live at once, all of whose output is being read: that takes no thread for each.</summary>
internal static class LiveSandboxes
{
    internal static int Run(string[] arguments)
    {
        var count = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        Basics.Run([]); // brings in the runtime's own threads
        var all = new List<(IsolatedProcess Process, Task<(string StandardOutput, string StandardError)> Text)>();
        Start(all);
        var one = Threads();
        while (all.Count < count) Start(all);
        var many = Threads();
        Console.WriteLine($"{one} threads with one sandbox, {many} with {count}");
        Expect.True(many <= one + 3, "many sandboxes need no more than three threads more than one");

        var watch = Stopwatch.StartNew();
        Task.WaitAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(() => { })));
        Expect.True(watch.Elapsed < TimeSpan.FromSeconds(5), "the thread pool is free");
        Expect.True(SpinWait.SpinUntil(() => ThreadPool.PendingWorkItemCount == 0, TimeSpan.FromSeconds(5)), "the thread pool works off what it has");

        foreach (var (process, _) in all) process.StandardInput.Dispose();
        foreach (var (process, text) in all)
        {
            Expect.Equal(text.GetAwaiter().GetResult().StandardOutput, "hello\n", "standard output");
            Expect.Equal(process.WaitForExit(TimeSpan.FromSeconds(30)).ToString(), "exit code 7", "the status");
            process.Dispose();
        }

        Console.WriteLine("fine");
        return 0;
    }

    private static void Start(List<(IsolatedProcess, Task<(string, string)>)> all)
    {
        var process = IsolatedProcess.Start(new IsolationOptions("sh", "-c", "echo hello; read line; exit 7")
        {
            StandardInput = StandardStream.Pipe,
            StandardOutput = StandardStream.Pipe,
            StandardError = StandardStream.Pipe,
        });
        all.Add((process, process.ReadAllTextAsync()));
    }

    private static int Threads() => Directory.GetDirectories("/proc/self/task").Length;
}
