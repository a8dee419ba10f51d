using System.Globalization;
using Isolation.Interop;

namespace Isolation.TestHost;

/// <summary>
/// Many sandboxes with terminals, resized, stopped and continued while they write, and closed in random order and in every way. Nothing is left.
/// </summary>
internal static class ManyTerminals
{
    internal static int Run(string[] arguments)
    {
        var count = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        Basics.Run([]);
        Round(Math.Min(count, 20), new Random(1)); // as many entries of tables as will be needed at once is up to the scheduler
        var before = State();
        Round(count, new Random(2));
        var end = Environment.TickCount64 + 10_000;
        string now;
        while ((now = State()) != before && Environment.TickCount64 < end) Thread.Sleep(10);
        HostState.ExpectSame(before, now, $"{count} terminals");
        Console.WriteLine("fine");
        return 0;
    }

    private static string State()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return string.Join('\n', HostState.Take().Split('\n').Where(static line =>
            !line.StartsWith("entries", StringComparison.Ordinal) && !line.StartsWith("fd /memfd:isolation-program", StringComparison.Ordinal)));
    }

    private static void Round(int count, Random random)
    {
        var all = new List<(IsolatedProcess Process, Task<long> Read)>();
        for (var i = 0; i < count; i++)
        {
            var process = IsolatedProcess.Start(new IsolationOptions("sh", "-c", "trap 'echo resized' WINCH; while read -r line; do echo got $line; done; exit 7")
            {
                Terminal = new TerminalOptions(), UseInit = i % 3 == 0,
            });
            all.Add((process, ReadAsync(process.Terminal)));
            process.Terminal.Write("hello\n"u8);
        }

        var left = all.ToArray();
        random.Shuffle(left);
        for (var i = 0; i < left.Length; i++)
        {
            // A few that are still there have a hard time meanwhile.
            for (var k = 0; k < 3; k++) Disturb(left[random.Next(i, left.Length)].Process, random);
            Close(left[i].Process, left[i].Read, random.Next(4));
        }
    }

    private static async Task<long> ReadAsync(Terminal terminal)
    {
        var (buffer, total) = (new byte[512], 0L);
        try
        {
            while (await terminal.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var read) total += read;
        }
        catch (ObjectDisposedException)
        {
            // closed here
        }

        return total;
    }

    private static void Disturb(IsolatedProcess process, Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                process.Terminal.Resize(random.Next(1, 300), random.Next(1, 100));
                break;
            case 1:
                _ = Kernel.kill(process.ProcessId, Linux.SIGSTOP);
                break;
            case 2:
                _ = Kernel.kill(process.ProcessId, Linux.SIGCONT);
                break;
            default:
                process.Terminal.Write("again\n"u8);
                break;
        }
    }

    private static void Close(IsolatedProcess process, Task<long> read, int way)
    {
        switch (way)
        {
            case 0:
                process.Terminal.Dispose();
                _ = Kernel.kill(process.ProcessId, Linux.SIGCONT);
                break;
            case 1:
                _ = Kernel.kill(process.ProcessId, Linux.SIGCONT);
                process.Terminal.Write("\u0004"u8);
                Expect.Equal(process.WaitForExit(TimeSpan.FromSeconds(30)).ToString(), "exit code 7", "the status");
                Expect.True(read.GetAwaiter().GetResult() > 0, "it has written something");
                break;
            case 2:
                _ = Kernel.kill(process.ProcessId, Linux.SIGKILL);
                break;
        }

        process.Dispose();
        _ = read.GetAwaiter().GetResult();
    }
}
