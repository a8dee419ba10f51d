namespace Isolation.TestHost;

/// <summary>NAME SCRIPT [wait]: starts a shell script detached and ends, or waits to be killed. Says the ids of the program and its own.</summary>
public static class Detach
{
    internal static int Run(string[] arguments)
    {
        var process = IsolatedProcess.StartDetached(Shell(arguments[1]), arguments[0]);
        Console.WriteLine($"started {process.ProcessId}");
        if (arguments.Contains("wait")) Thread.Sleep(Timeout.Infinite);
        GC.KeepAlive(process);
        return 0;
    }

    /// <summary>A script without streams.</summary>
    public static IsolationOptions Shell(string script) => new("sh", "-c", script)
    {
        StandardInput = StandardStream.Null,
        StandardOutput = StandardStream.Null,
        StandardError = StandardStream.Null,
    };
}
