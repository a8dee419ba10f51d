namespace Isolation.Samples;

/// <summary>What the samples' entry points have in common: a time limit, and errors that become messages and exit codes.</summary>
internal static class SampleRunner
{
    internal const int Success = 0;
    internal const int SetUpFailed = 1;
    internal const int BadUsage = 2;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    internal static async Task<int> RunAsync(Func<Screen, CancellationToken, Task> sample)
    {
        using var screen = new Screen();
        using var limit = new CancellationTokenSource(s_limit);
        try
        {
            await sample(screen, limit.Token);
            return Success;
        }
        catch (Exception e) when (e is IsolationException or PlatformNotSupportedException or InvalidOperationException or IOException)
        {
            return Failed(screen, e.Message);
        }
        catch (OperationCanceledException)
        {
            return Failed(screen, $"Not done after {s_limit.TotalSeconds:0} seconds.");
        }
    }

    internal static int Usage(string problem, string usage)
    {
        Console.Error.WriteLine(problem);
        Console.Error.WriteLine(usage);
        return BadUsage;
    }

    private static int Failed(Screen screen, string message)
    {
        screen.Flush();
        Console.Error.WriteLine(message);
        return SetUpFailed;
    }
}
