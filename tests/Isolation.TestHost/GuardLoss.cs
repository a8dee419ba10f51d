using Isolation.Launching;
using Isolation.Stage;

namespace Isolation.TestHost;

/// <summary>Somebody kills the guard, several times; each time another takes its place and nothing of the old one is left.</summary>
internal static class GuardLoss
{
    internal static int Run(string[] arguments)
    {
        Console.WriteLine($"stage {ProcessTable.Inode(StageImage.Descriptor)}");
        using var process = IsolatedProcess.Start(Parent.Sleeper(arguments[0], "pid"));
        Replace();
        var before = HostState.Take();
        for (var i = 0; i < 5; i++)
        {
            Replace();
            HostState.ExpectSame(before, "the loss of a guard");
        }

        Console.WriteLine("started");
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    private static void Replace()
    {
        var old = ParentExitGuard.CurrentProcessId;
        Expect.True(old > 0, "there is a guard");
        Expect.Equal(Native.kill(old, 9), 0, "the result of kill");
        var end = Environment.TickCount64 + 20_000;
        while (ParentExitGuard.CurrentProcessId is var current && (current == 0 || current == old))
        {
            Expect.True(Environment.TickCount64 < end, "a guard that was killed is replaced");
            Thread.Sleep(1);
        }
    }
}
