using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Isolation.Interop;
using Isolation.Launching;
using Isolation.Planning;
using Isolation.Stage;

namespace Isolation.TestHost;

/// <summary>
/// What the parent-exit guard does with its table, done by a stage that we start: who is listed is killed, who was started
/// later and only has the number is not, and a group is killed though its leader has gone.
/// </summary>
internal static class Listed
{
    internal static int Run()
    {
        var before = Kernel.BootTicks();
        while (Kernel.BootTicks() < before + 3) Thread.Sleep(10);
        using var meant = Sleeper();
        using var stranger = Sleeper();
        var (leader, member) = Orphan();
        ListedProcess[] table =
        [
            new() { Pid = (uint)stranger.ProcessId, StartedBefore = before },
            new() { Pid = (uint)meant.ProcessId, StartedBefore = Kernel.BootTicks() + 1 },
            new() { Pid = (uint)leader, Flags = StageFormat.ListedGroup, StartedBefore = Kernel.BootTicks() + 1 },
        ];
        KillListed(table);

        Expect.Equal(meant.WaitForExit(TimeSpan.FromSeconds(20)).ToString(), "signal SIGKILL", "the end of who is listed");
        var end = Environment.TickCount64 + 20_000;
        while (ProcessTable.IsAliveHere(member))
        {
            Expect.True(Environment.TickCount64 < end, "the rest of a group is killed");
            Thread.Sleep(10);
        }

        Expect.True(!stranger.HasExited, "who has the number now is spared");
        Console.WriteLine("fine");
        return 0;
    }

    private static IsolatedProcess Sleeper() => IsolatedProcess.Start(new IsolationOptions("sleep", "1000") { Namespaces = Namespaces.None });

    /// <summary>A process whose group's leader has ended and been reaped.</summary>
    private static (int Leader, int Member) Orphan()
    {
        using var process = Process.Start(new ProcessStartInfo("setsid", ["sh", "-c", "sleep 1000 >&- & echo $$ $!"]) { RedirectStandardOutput = true })!;
        var numbers = process.StandardOutput.ReadToEnd().Split(' ');
        process.WaitForExit();
        return (int.Parse(numbers[0], CultureInfo.InvariantCulture), int.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    private static void KillListed(ListedProcess[] table)
    {
        var child = IsolatedProcess.Launch(new IsolationOptions("true") { Namespaces = Namespaces.None }, default, new LaunchHooks(plan =>
        {
            foreach (ref var step in plan.Steps)
            {
                if (step.Label != "set the umask") continue;
                step = LaunchPlan.Make(StepKind.KillListed, 0, "kill", null, plan.Bytes(MemoryMarshal.AsBytes<ListedProcess>(table)), table.Length);
                return;
            }

            throw new InvalidOperationException("There is no such step.");
        }));
        child.Wait(TimeSpan.FromSeconds(20));
        Expect.Equal(child.Exit.Result.ToString(), "exit code 0", "the end of who kills");
    }
}
