namespace Isolation.TestHost;

/// <summary>Connects a sandbox's terminal to this app's own and leaves in the way that it is told.</summary>
public static class Attached
{
    /// <summary>What the sandbox runs.</summary>
    public const string Script = "stty -echo; echo attached; read line; echo \"read $line\"; exit 7";

    internal static int Run(string[] arguments)
    {
        Console.WriteLine($"pid {Environment.ProcessId}");
        var process = IsolatedProcess.Start(new IsolationOptions("/bin/sh", "-c", Script) { Terminal = TerminalOptions.LikeConsole() });
        using var cancellation = new CancellationTokenSource();
        var attached = process.Terminal.AttachAsync(new TerminalAttachOptions { DetachKeys = "ctrl-p,ctrl-q" }, cancellation.Token);
        switch (arguments[0])
        {
            case "wait":
                Expect.Equal(attached.GetAwaiter().GetResult(), TerminalEnd.Closed, "the end");
                return process.WaitForExit().ExitCode;
            case "detach":
                Expect.Equal(attached.GetAwaiter().GetResult(), TerminalEnd.Detached, "the end");
                Expect.Equal(process.HasExited, false, "whether the program has ended");
                process.Dispose();
                return 3;
            case "exit":
                Environment.Exit(4);
                return 0;
            case "return":
                return 5;
            case "cancel":
                cancellation.Cancel();
                try
                {
                    attached.GetAwaiter().GetResult();
                }
                catch (OperationCanceledException)
                {
                    return 6;
                }

                return 0;
            case "dispose":
                process.Dispose();
                attached.GetAwaiter().GetResult();
                return 8;
            case "throw":
                new Thread(static () => throw new InvalidOperationException("nobody catches this")).Start();
                Thread.Sleep(Timeout.Infinite);
                return 0;
            default:
                Environment.FailFast("as a test wants it");
                return 0;
        }
    }
}
