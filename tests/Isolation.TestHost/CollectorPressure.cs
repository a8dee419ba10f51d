using System.Globalization;

namespace Isolation.TestHost;

/// <summary>Many threads start at once while others allocate and collect without pause.</summary>
internal static class CollectorPressure
{
    internal static int Run(string[] arguments)
    {
        var (threads, each) = (int.Parse(arguments[0], CultureInfo.InvariantCulture), int.Parse(arguments[1], CultureInfo.InvariantCulture));
        Basics.Run([]); // compiled code, so that the pressure is on starts and not on the compiler
        var stop = false;
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
                Thread.Yield(); // else the threads that were stopped hardly get to run on few cores
            }
        });
        var allocator = new Thread(() =>
        {
            var kept = new object[1024];
            for (var i = 0; !Volatile.Read(ref stop); i++) kept[i & 1023] = new byte[i % 5000];
            GC.KeepAlive(kept);
        });
        collector.Start();
        allocator.Start();
        var starters = new Task[threads];
        for (var t = 0; t < threads; t++)
        {
            var thread = t;
            starters[t] = Task.Factory.StartNew(() =>
            {
                for (var i = 0; i < each; i++)
                {
                    var text = string.Create(CultureInfo.InvariantCulture, $"{thread}.{i} of many, to be moved by the collector");
                    var result = IsolatedProcess.RunAndCaptureText(new IsolationOptions("sh", "-c", "echo \"$1\"; exit 3", "sh", text));
                    Expect.Equal(result.StandardOutput, text + "\n", "standard output");
                    Expect.Equal(result.ExitStatus.ToString(), "exit code 3", "the status");
                }
            }, TaskCreationOptions.LongRunning);
        }

        try
        {
            Task.WaitAll(starters);
        }
        finally
        {
            Volatile.Write(ref stop, true);
        }

        collector.Join();
        allocator.Join();
        Expect.True(GC.CollectionCount(2) > 10, "the collector was busy");
        Console.WriteLine("fine");
        return 0;
    }
}
