namespace Isolation.TestHost;

/// <summary>
/// Starts with subordinate ids, where newuidmap is in a folder (the first argument) that the test has made, or is not: what goes wrong must be
/// said, and leave nothing behind.
/// </summary>
internal static class SubordinateHelper
{
    internal static int Run(string[] arguments)
    {
        Environment.SetEnvironmentVariable("PATH", arguments[0]);
        var limit = arguments.Length > 1 ? TimeSpan.FromMilliseconds(300) : (TimeSpan?)null;
        var options = new IsolationOptions("true");
        options.User.MapSubordinateIds();
        Start(options, limit); // leaves what is made once
        _ = HostState.Take();
        var before = HostState.Take();
        var said = Start(options, limit);
        HostState.ExpectSame(before, "the start");
        Console.WriteLine(said);
        return 0;
    }

    private static string Start(IsolationOptions options, TimeSpan? limit)
    {
        try
        {
            return IsolatedProcess.Run(options, limit).ToString();
        }
        catch (IsolationException e)
        {
            return $"{e.Step}|{e.Syscall}|{e.Errno}|{e.Path}|{e.Hint}";
        }
        catch (TimeoutException e)
        {
            return e.Message;
        }
    }
}
