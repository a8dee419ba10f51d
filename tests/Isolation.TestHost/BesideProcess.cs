using System.Diagnostics;
using System.Globalization;

namespace Isolation.TestHost;

/// <summary>System.Diagnostics.Process and we start children at once: each gets its own children's exit codes.</summary>
internal static class BesideProcess
{
    internal static int Run(string[] arguments)
    {
        var each = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        Task[] all =
        [
            Worker(() => Ours(each)), Worker(() => Theirs(each)), Worker(() => Ours(each)), Worker(() => Theirs(each)), OursAsync(each),
        ];
        Task.WaitAll(all);
        Console.WriteLine("fine");
        return 0;
    }

    private static Task Worker(Action work) => Task.Factory.StartNew(work, TaskCreationOptions.LongRunning);

    private static void Ours(int count)
    {
        for (var i = 0; i < count; i++)
            Expect.Equal(IsolatedProcess.Run(new IsolationOptions("sh", "-c", $"exit {i % 256}")).ToString(), $"exit code {i % 256}", "our status");
    }

    private static async Task OursAsync(int count)
    {
        await Task.Yield();
        for (var i = 0; i < count; i++)
        {
            var status = await IsolatedProcess.RunAsync(new IsolationOptions("sh", "-c", $"exit {i % 256}"));
            Expect.Equal(status.ToString(), $"exit code {i % 256}", "our status");
        }
    }

    private static void Theirs(int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var process = Process.Start("sh", ["-c", $"exit {i % 256}"]);
            process.WaitForExit();
            Expect.Equal(process.ExitCode, i % 256, "the exit code of Process");
        }
    }
}
