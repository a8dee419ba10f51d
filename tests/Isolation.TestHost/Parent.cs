using System.Globalization;
using Isolation.Stage;

namespace Isolation.TestHost;

/// <summary>
/// Starts sandboxes from two threads until it is killed, or COUNT each. Their programs can be found by the marker, a number of
/// seconds that nobody else sleeps. MODE: pid, no-pid, init, terminal, suspended (half of them stay so) or detached (named after the marker), "survivor" for one more that may outlive us, or "prctl"
/// for a program that tries to.
/// </summary>
internal static class Parent
{
    internal static int Run(string[] arguments)
    {
        var (marker, mode, count) = (arguments[0], arguments[1], int.Parse(arguments[2], CultureInfo.InvariantCulture));
        Console.WriteLine($"stage {ProcessTable.Inode(StageImage.Descriptor)}");
        var alive = new List<IsolatedProcess>();
        if (mode == "prctl") return ClearDeathSignal(marker);
        if (mode == "survivor")
        {
            var survivor = Sleeper(marker + "1", "pid");
            survivor.KillOnParentExit = false;
            alive.Add(IsolatedProcess.Start(survivor));
        }

        var threads = new Thread[2];
        for (var t = 0; t < threads.Length; t++)
        {
            threads[t] = new Thread(() =>
            {
                for (var i = 0; i < count; i++)
                {
                    var process = mode switch
                    {
                        "suspended" => Suspended(marker + "0", i),
                        "detached" => IsolatedProcess.StartDetached(Sleeper(marker + "0", i % 2 == 0 ? "pid" : "init"), $"{marker}-{Guid.NewGuid():N}"),
                        _ => IsolatedProcess.Start(Sleeper(marker + "0", mode)),
                    };
                    lock (alive) alive.Add(process);
                }
            });
            threads[t].Start();
        }

        foreach (var thread in threads) thread.Join();
        Console.WriteLine("started");
        Thread.Sleep(Timeout.Infinite);
        GC.KeepAlive(alive);
        return 0;
    }

    private static IsolatedProcess Suspended(string seconds, int i)
    {
        var process = IsolatedProcess.StartSuspended(Sleeper(seconds, i % 4 < 2 ? "pid" : "init"));
        if (i % 2 == 0) process.Release();
        return process;
    }

    /// <summary>Without PR_SET_PDEATHSIG: a program may clear that.</summary>
    private static int ClearDeathSignal(string marker)
    {
        const string script = "import ctypes, sys, time; ctypes.CDLL(None).prctl(1, 0, 0, 0, 0); print('cleared', flush=True); time.sleep(int(sys.argv[1]))";
        IsolatedProcess.Run(new IsolationOptions("/usr/bin/python3", "-c", script, marker));
        return 1;
    }

    /// <summary>A program with a child and a grandchild of its own.</summary>
    internal static IsolationOptions Sleeper(string seconds, string mode) => new("sh", "-c", $"(sleep {seconds}; true) & sleep {seconds}; true")
    {
        Namespaces = mode == "no-pid" ? Namespaces.Default & ~Namespaces.Pid : Namespaces.Default,
        UseInit = mode == "init",
        Terminal = mode == "terminal" ? new TerminalOptions() : null,
        StandardInput = mode == "terminal" ? StandardStream.Inherit : StandardStream.Null,
        StandardOutput = StandardStream.Null,
        StandardError = StandardStream.Null,
    };
}
