namespace Isolation.Benchmarks;

/// <summary>
/// Programs that are of use and are not measured, unconfined. Not by System.Diagnostics.Process: once it has been used, the runtime asks
/// at the end of any child about all of them, which in a host with thousands is to be seen in what is measured.
/// </summary>
internal static class Helper
{
    internal static IsolationOptions Options(string path, IEnumerable<string> arguments)
    {
        var options = new IsolationOptions(path, arguments)
        {
            Namespaces = Namespaces.None,
            InheritEnvironment = true,
            StandardInput = StandardStream.Null,
            WorkingDirectory = Environment.CurrentDirectory,
        };
        options.Security.Seccomp = null;
        options.Security.Capabilities = CapabilitySets.All;
        options.Security.NoNewPrivileges = false;
        options.Security.InheritSessionKeyring = true;
        return options;
    }

    internal static int Run(string path, params IEnumerable<string> arguments) => IsolatedProcess.Run(Options(path, arguments)).ExitCode;
}
