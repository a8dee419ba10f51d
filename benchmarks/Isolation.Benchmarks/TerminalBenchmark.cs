using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Isolation.Benchmarks;

/// <summary>What goes through a sandbox's terminal and pipes, and how soon a key is echoed, beside blocking C between two plain processes; in turn, in one run.</summary>
internal static class TerminalBenchmark
{
    private const int Width = 100;

    internal static int Run(TerminalSettings settings)
    {
        using var workspace = new Workspace(settings.WorkDirectory);
        if (workspace.Terminal is not { } program)
        {
            Console.Error.WriteLine($"This needs a program in C. {workspace.Note}");
            return 1;
        }

        var results = new Dictionary<string, List<double>>();
        try
        {
            for (var round = -1; round < settings.Rounds; round++)
            {
                // The first round warms up, with less.
                var megabytes = round < 0 ? Math.Min(64, settings.Megabytes) : settings.Megabytes;
                foreach (var (name, value) in Peer(program, megabytes, settings.Keys)) Add(name, value);
                Add("ours terminal", ReadAsync(program, megabytes, terminal: true).GetAwaiter().GetResult());
                Add("ours connected", AttachAsync(program, megabytes).GetAwaiter().GetResult());
                Add("ours pipe", ReadAsync(program, megabytes, terminal: false).GetAwaiter().GetResult());
                Add("ours key", EchoAsync(settings.Keys).GetAwaiter().GetResult());
                Add("ours key, blocking", Echo(settings.Keys));

                void Add(string name, double value)
                {
                    if (!results.TryGetValue(name, out var list)) results.Add(name, list = []);
                    if (round >= 0) list.Add(value);
                }
            }
        }
        catch (Exception e) when (e is IsolationException or InvalidOperationException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }

        Print(results, settings);
        return 0;
    }

    private static IEnumerable<(string Name, double Value)> Peer(string program, int megabytes, int keys)
    {
        var start = new ProcessStartInfo(program, [Number(megabytes), Number(keys)]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} ended with {process.ExitCode}.");
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            if (words[0] != "key" && long.Parse(words[2], CultureInfo.InvariantCulture) != (long)megabytes << 20) throw new InvalidOperationException("Bytes were lost: " + line);
            yield return (words[0], double.Parse(words[1], CultureInfo.InvariantCulture));
        }
    }

    private static IsolationOptions Writer(string program, int megabytes) => new(program, "write", Number(megabytes)) { StandardInput = StandardStream.Null };

    private static async Task<double> ReadAsync(string program, int megabytes, bool terminal)
    {
        var options = Writer(program, megabytes);
        if (terminal) options.Terminal = new TerminalOptions();
        else options.StandardOutput = StandardStream.Pipe;
        using var nowhere = new FileStream("/dev/null", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
        var before = Stopwatch.GetTimestamp();
        await using var process = IsolatedProcess.Start(options);
        var stream = terminal ? process.Terminal : process.StandardOutput;
        var (buffer, total) = (new byte[131072], 0L);
        for (int count; (count = await stream.ReadAsync(buffer).ConfigureAwait(false)) > 0; total += count) nowhere.Write(buffer, 0, count);
        return Seconds(before, total, megabytes);
    }

    /// <summary>As an app's own standard streams would be: the output is the null device.</summary>
    private static async Task<double> AttachAsync(string program, int megabytes)
    {
        var options = Writer(program, megabytes);
        options.Terminal = new TerminalOptions();
        using var nowhere = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        var before = Stopwatch.GetTimestamp();
        await using var process = IsolatedProcess.Start(options);
        await process.Terminal.AttachAsync(new TerminalAttachOptions { Output = nowhere, ForwardInput = false }).ConfigureAwait(false);
        return Seconds(before, (long)megabytes << 20, megabytes);
    }

    /// <summary>The median of the seconds from a key to its echo, which the kernel makes.</summary>
    private static async Task<double> EchoAsync(int keys)
    {
        await using var process = IsolatedProcess.Start(new IsolationOptions("sleep", "1000") { Terminal = new TerminalOptions() });
        var (key, echo, times) = ("k"u8.ToArray(), new byte[64], new double[keys]);
        for (var i = 0; i < keys; i++)
        {
            if (i % 50 == 0) await NewLineAsync(process.Terminal, echo).ConfigureAwait(false);
            var before = Stopwatch.GetTimestamp();
            await process.Terminal.WriteAsync(key).ConfigureAwait(false);
            _ = await process.Terminal.ReadAsync(echo).ConfigureAwait(false);
            times[i] = Stopwatch.GetElapsedTime(before).TotalSeconds;
        }

        return Median(times);
    }

    private static double Echo(int keys)
    {
        using var process = IsolatedProcess.Start(new IsolationOptions("sleep", "1000") { Terminal = new TerminalOptions() });
        var (echo, times) = (new byte[64], new double[keys]);
        for (var i = 0; i < keys; i++)
        {
            if (i % 50 == 0) NewLineAsync(process.Terminal, echo).GetAwaiter().GetResult();
            var before = Stopwatch.GetTimestamp();
            process.Terminal.Write("k"u8);
            _ = process.Terminal.Read(echo);
            times[i] = Stopwatch.GetElapsedTime(before).TotalSeconds;
        }

        return Median(times);
    }

    /// <summary>Ctrl-U: the line never gets too long. Its echo ends with a blank over the first character.</summary>
    private static async Task NewLineAsync(Terminal terminal, byte[] echo)
    {
        await terminal.WriteAsync("k\u0015"u8.ToArray()).ConfigureAwait(false);
        var seen = new List<byte>();
        while (seen.Count < 2 || seen[^1] != '\b') seen.AddRange(echo.AsSpan(0, await terminal.ReadAsync(echo).ConfigureAwait(false)));
        await Task.Delay(1).ConfigureAwait(false); // nothing more is under way
    }

    private static double Seconds(long since, long total, int megabytes) => total == (long)megabytes << 20
        ? Stopwatch.GetElapsedTime(since).TotalSeconds
        : throw new InvalidOperationException($"Bytes were lost: {total} of {(long)megabytes << 20} have come.");

    private static void Print(Dictionary<string, List<double>> results, TerminalSettings settings)
    {
        var to = Console.Out;
        to.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\nTerminals and pipes: {settings.Megabytes:N0} MB and {settings.Keys:N0} keys, {settings.Rounds} rounds, medians, all in turn in one run"));
        to.WriteLine(string.Join(" · ", RuntimeInformation.OSDescription, RuntimeInformation.ProcessArchitecture, $"{Environment.ProcessorCount} CPUs",
            RuntimeInformation.FrameworkDescription, Environment.IsPrivilegedProcess ? "root" : "ordinary user"));
        to.WriteLine(new string('━', Width));
        to.WriteLine($"{"",-52}{"C, blocking",16}{"ours",16}{"ours/C",14}");
        Throughput("through a terminal, ReadAsync", "terminal", "ours terminal");
        Throughput("through a terminal, AttachAsync", "terminal", "ours connected");
        Throughput("through a pipe, ReadAsync", "pipe", "ours pipe");
        Latency("from a key to its echo, asynchronous", "ours key");
        Latency("from a key to its echo, blocking", "ours key, blocking");
        to.WriteLine(new string('━', Width));

        void Throughput(string title, string theirs, string ours)
        {
            var (c, our) = (settings.Megabytes / Median([.. results[theirs]]), settings.Megabytes / Median([.. results[ours]]));
            to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {title,-50}{c,11:0} MB/s{our,11:0} MB/s{our / c,13:0.00}x"));
        }

        void Latency(string title, string ours)
        {
            var (c, our) = (Median([.. results["key"]]) * 1e6, Median([.. results[ours]]) * 1e6);
            to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {title,-50}{c,13:0.0} µs{our,13:0.0} µs{our / c,13:0.00}x"));
        }
    }

    private static double Median(double[] samples)
    {
        Array.Sort(samples);
        return samples[samples.Length / 2];
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
