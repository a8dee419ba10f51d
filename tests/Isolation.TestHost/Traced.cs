namespace Isolation.TestHost;

/// <summary>
/// One start to be looked at by strace, after some that are not, between two calls that nobody else makes: pid and mount namespaces and a fresh /proc, all
/// privileges kept. docs/start.md explains its calls.
/// </summary>
public static class Traced
{
    /// <summary>What stands in the trace before and after the start.</summary>
    public const int Mark = Native.PR_GET_DUMPABLE;

    private const int Warm = 5;

    internal static int Run()
    {
        for (var i = 0; i < Warm; i++) Start(static () => { });
        Start(static () => _ = Native.prctl(Mark, 0, 0, 0, 0));
        Console.WriteLine("fine");
        return 0;
    }

    private static void Start(Action mark)
    {
        var options = new IsolationOptions("/bin/true") { Namespaces = Namespaces.Pid | Namespaces.Mount };
        options.Security.Seccomp = null;
        options.Security.Capabilities = CapabilitySets.All;
        options.Security.NoNewPrivileges = false;
        options.Security.InheritSessionKeyring = true;
        options.Filesystem.Root = Root.Host;
        options.Filesystem.PrivateTmp = options.Filesystem.PrivateRun = options.Filesystem.PrivateDev = options.Filesystem.MaskKernelFiles = false;
        mark();
        using var process = IsolatedProcess.Start(options);
        mark();
        Expect.Equal(process.WaitForExit().ExitCode, 0, "the exit code");
    }
}
