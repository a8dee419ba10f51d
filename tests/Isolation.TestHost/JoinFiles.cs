namespace Isolation.TestHost;

/// <summary>Runs a program in namespaces that another app has left bound to files.</summary>
internal static class JoinFiles
{
    internal static int Run(string[] paths)
    {
        var handles = Array.ConvertAll(paths, NamespaceHandle.Open);
        var result = IsolatedProcess.RunAndCaptureText(new IsolationOptions("uname", "-n") { Join = NamespaceSource.FromHandles(handles) });
        Console.Write(result.StandardOutput);
        foreach (var handle in handles) handle.Dispose();
        return result.ExitStatus.ExitCode;
    }
}
