using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>A program in a sandbox that runs already: by process.Start, and by nsenter with the same namespaces; and a sandbox of its own for comparison.</summary>
internal static class EnterBenchmark
{
    private const int Iterations = 300;

    internal static int Run(string[] arguments)
    {
        if (arguments.Length > 0)
        {
            Console.Error.WriteLine("It takes no arguments.");
            return 2;
        }

        using var workspace = new Workspace(null);
        if (workspace.Floor is not { } path)
        {
            // A clock in C measures nsenter.
            Console.Error.WriteLine($"This needs the programs in C. {workspace.Note}");
            return 1;
        }

        using var floor = new FloorProcess(path, workspace.Program, workspace.Tree);
        try
        {
            using var full = IsolatedProcess.Start(new IsolationOptions("sleep", "infinity"));
            using var open = IsolatedProcess.Start(new IsolationOptions("sleep", "infinity") { Security = SecurityOptions.Unconfined });
            using var bare = IsolatedProcess.Start(Bare(new IsolationOptions("sleep", "infinity")));
            Contest[] contests =
            [
                Contest("enter", "into a sandbox with default options: all namespaces but time; under its filter, without capabilities", full, Namespaces.Default),
                Contest("enter-open", "the same namespaces, and no more than nsenter does: no filter, no keyring, capabilities kept", open, Namespaces.Default),
                Contest("enter-bare", "into one with pid and mount namespaces (rootless: user as well), without a filter", bare, Scenario.PidMountProc("x").Namespaces),
            ];
            ContestRunner.Run(contests, Iterations);
            ContestReport.Print(Console.Out, "What it costs to enter a sandbox", contests, Iterations);
            return 0;
        }
        catch (Exception e) when (e is IsolationException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }

        Contest Contest(string key, string title, IsolatedProcess sandbox, Namespaces namespaces)
        {
            var options = new IsolationOptions(workspace.Program);
            var alone = namespaces == Namespaces.Default ? new IsolationOptions(workspace.Program) : Bare(new IsolationOptions(workspace.Program));
            if (sandbox.Enforced.Seccomp is null) alone.Security = SecurityOptions.Unconfined; // who enters has what the sandbox has
            return new Contest(key, title,
            [
                new Way("processStart", "process.Start", () => SpawnBenchmark.Second(() => Enter(sandbox, options))),
                Nsenter(sandbox, namespaces),
                new Way("isolatedProcessStart", "a sandbox of its own", () => SpawnBenchmark.Second(() => SpawnBenchmark.StartIsolated(alone))),
            ], Iterations);
        }

        Way Nsenter(IsolatedProcess sandbox, Namespaces namespaces)
        {
            if (Workspace.Find("nsenter") is not { } program) return new Way("nsenter", "nsenter", null, "not installed");
            string[] command = [program, "-t", sandbox.ProcessId.ToString(CultureInfo.InvariantCulture), .. Flags(namespaces), workspace.Program];
            return new Way("nsenter", "nsenter", () => floor.Measure(command), ExitOnly: true, LeastOfExit: 3);
        }
    }

    private static IsolationOptions Bare(IsolationOptions options)
    {
        var bare = Scenario.PidMountProc(options.FileName);
        foreach (var argument in options.Arguments) bare.Arguments.Add(argument);
        return bare;
    }

    private static IEnumerable<string> Flags(Namespaces namespaces)
    {
        if ((namespaces & Namespaces.Mount) != 0) yield return "-m";
        if ((namespaces & Namespaces.Uts) != 0) yield return "-u";
        if ((namespaces & Namespaces.Ipc) != 0) yield return "-i";
        if ((namespaces & Namespaces.Network) != 0) yield return "-n";
        if ((namespaces & Namespaces.Pid) != 0) yield return "-p";
        if ((namespaces & Namespaces.User) != 0) yield return "-U";
        if ((namespaces & Namespaces.Cgroup) != 0) yield return "-C";
    }

    private static Sample Enter(IsolatedProcess sandbox, IsolationOptions options)
    {
        var begin = System.Diagnostics.Stopwatch.GetTimestamp();
        using var process = sandbox.Start(options);
        var started = System.Diagnostics.Stopwatch.GetElapsedTime(begin).TotalMicroseconds;
        process.WaitForExit();
        return new Sample(started, System.Diagnostics.Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
    }
}
