using System.Diagnostics;
using System.Globalization;
using Isolation.Launching;

namespace Isolation.TestHost;

/// <summary>What must work in every host, however hostile.</summary>
internal static class Basics
{
    /// <summary>Prints one line for each thing the program finds that a host could have passed on by mistake.</summary>
    private const string Look =
        "umask; pwd; echo /proc/self/fd/*; grep -E '^(Sig[BI]..|ShdPnd|SigPnd):' /proc/self/status; :";

    private const string Seen =
        "0022\n/\n/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n" +
        "SigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n";

    internal static int Run(string[] arguments)
    {
        for (var round = 0; round < 3; round++)
        {
            foreach (var useInit in (bool[])[false, true])
            {
                ExitCodes(useInit);
                Signals(useInit);
                Output(useInit);
                Suspended(useInit);
                Detached(useInit);
            }

            LeftBehind();
            Asynchronous().GetAwaiter().GetResult();
            WithProcess();
        }

        Report(arguments);
        return 0;
    }

    /// <summary>Standard output may be closed, so the report can also go to a file.</summary>
    internal static void Report(string[] arguments)
    {
        if (arguments.Length > 0) File.WriteAllText(arguments[0], "fine\n");
        else Console.WriteLine("fine");
    }

    private static IsolationOptions Shell(string script, bool useInit = false) => new("sh", "-c", script) { UseInit = useInit };

    private static void ExitCodes(bool useInit)
    {
        foreach (var code in (int[])[0, 1, 42, 255])
            Expect.Equal(IsolatedProcess.Run(Shell($"exit {code}", useInit)).ToString(), $"exit code {code}", "the status");
    }

    private static void Signals(bool useInit)
    {
        var options = Shell("echo ready; exec sleep 1000", useInit);
        options.StandardOutput = StandardStream.Pipe;
        using var process = IsolatedProcess.Start(options);
        Expect.Equal(process.StandardOutput.ReadByte(), 'r', "the first byte");
        process.Kill();
        Expect.Equal(process.WaitForExit(TimeSpan.FromSeconds(20)).ToString(), "signal SIGKILL", "the status");
    }

    private static void Output(bool useInit)
    {
        var result = IsolatedProcess.RunAndCaptureText(Shell(Look, useInit), TimeSpan.FromSeconds(20));
        Expect.Equal(result.StandardError, "", "standard error");
        Expect.Equal(result.StandardOutput, Seen, "what the program finds");
        Expect.Equal(result.ExitStatus.ToString(), "exit code 0", "the status");
    }

    private static void Suspended(bool useInit)
    {
        using (var process = IsolatedProcess.StartSuspended(Shell("exit 12", useInit)))
        {
            Expect.True(process.IsSuspended, "it is suspended");
            process.Release();
            Expect.Equal(process.WaitForExit(TimeSpan.FromSeconds(20)).ToString(), "exit code 12", "the status");
        }

        using (var process = IsolatedProcess.StartSuspended(Shell("exit 13", useInit)))
        {
            process.ReleaseAsync().GetAwaiter().GetResult();
            Expect.Equal(process.WaitForExit(TimeSpan.FromSeconds(20)).ToString(), "exit code 13", "the status");
        }

        IsolatedProcess.StartSuspended(Shell("exit 14", useInit)).Dispose();
    }

    /// <summary>Where /proc has other numbers than ours a detached program could not be found again, and is not started.</summary>
    private static void Detached(bool useInit)
    {
        var name = $"basics-{Environment.ProcessId}-{useInit}";
        try
        {
            var options = Detach.Shell("exec sleep 1000");
            options.UseInit = useInit;
            using var own = IsolatedProcess.StartDetached(options, name);
            Expect.True(!Host.ProcIsForeign, "it can be found again");
            using var found = IsolatedProcess.FindDetached(name)!;
            found.Kill();
            Expect.Equal(found.WaitForExit(TimeSpan.FromSeconds(20)).ToString(), "signal SIGKILL", "the status");
            Expect.Equal(own.WaitForExit(TimeSpan.FromSeconds(20)).ToString(), "signal SIGKILL", "the status");
        }
        catch (IsolationException e) when (Host.ProcIsForeign)
        {
            Expect.True(e.Hint!.Contains("another PID namespace", StringComparison.Ordinal), e.Message);
        }
    }

    /// <summary>Without a PID namespace, the end of the program is the end of its process group.</summary>
    private static void LeftBehind()
    {
        var options = Shell("sleep 1000 > /dev/null 2>&1 & echo $!; exit 5");
        options.Namespaces &= ~Namespaces.Pid;
        var result = IsolatedProcess.RunAndCaptureText(options, TimeSpan.FromSeconds(20));
        Expect.Equal(result.ExitStatus.ToString(), "exit code 5", "the status");
        var left = int.Parse(result.StandardOutput, CultureInfo.InvariantCulture);
        var end = Environment.TickCount64 + 20_000;
        while (ProcessTable.IsAliveHere(left))
        {
            Expect.True(Environment.TickCount64 < end, "the program's process group has ended with it");
            Thread.Sleep(1);
        }
    }

    private static async Task Asynchronous()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(n => IsolatedProcess.RunAndCaptureTextAsync(Shell($"echo {n}; exit {n}"), limit.Token)));
        for (var n = 0; n < results.Length; n++)
        {
            Expect.Equal(results[n].ExitStatus.ToString(), $"exit code {n}", "the status");
            Expect.Equal(results[n].StandardOutput, $"{n}\n", "standard output");
        }
    }

    /// <summary>With SIGCHLD ignored, .NET 10 installs no handler for it, and its own Process never notices an exit.</summary>
    internal static void WithProcess()
    {
        if ((Host.StatusMask("SigIgn") >> (Native.SIGCHLD - 1) & 1) != 0)
        {
            Process.Start("sh", ["-c", "exit 9"]).Dispose();
            return;
        }

        if (new FileInfo("/proc/self/cwd").LinkTarget!.EndsWith(" (deleted)", StringComparison.Ordinal)) return; // where Process does not start
        using var process = Process.Start("sh", ["-c", "exit 9"]);
        process.WaitForExit();
        Expect.Equal(process.ExitCode, 9, "the exit code of Process");
    }
}
