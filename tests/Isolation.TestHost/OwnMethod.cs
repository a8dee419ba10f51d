namespace Isolation.TestHost;

/// <summary>Runs a method of this app in a sandbox.</summary>
internal static class OwnMethod
{
    internal static int Run()
    {
        var answer = IsolatedTask.RunAsync(Answer, 21).GetAwaiter().GetResult();
        Expect.Equal(answer, "42 by process 1 of 1 arguments", "the answer");
        Console.WriteLine("fine");
        return 0;
    }

    /// <summary>The app's own path alone: its arguments are not the method's.</summary>
    private static string Answer(int n) => $"{2 * n} by process {Environment.ProcessId} of {Environment.GetCommandLineArgs().Length} arguments";
}
