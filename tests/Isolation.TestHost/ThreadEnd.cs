using System.Text;

namespace Isolation.TestHost;

/// <summary>The thread that called Start ends, which would end a program with PR_SET_PDEATHSIG. Ours goes on.</summary>
internal static class ThreadEnd
{
    internal static int Run()
    {
        var directory = "";
        IsolatedProcess? process = null;
        var thread = new Thread(() =>
        {
            var link = new FileInfo("/proc/thread-self").LinkTarget!; // PID/task/TID
            directory = "/proc/" + link;
            process = IsolatedProcess.Start(new IsolationOptions("cat")
            {
                StandardInput = StandardStream.Pipe,
                StandardOutput = StandardStream.Pipe,
            });
        });
        thread.Start();
        thread.Join();
        while (Directory.Exists(directory)) Thread.Yield();
        using (process)
        {
            for (var i = 0; i < 20; i++)
            {
                process!.StandardInput.Write("hello"u8);
                var answer = new byte[5];
                process.StandardOutput.ReadExactly(answer);
                Expect.Equal(Encoding.UTF8.GetString(answer), "hello", "the answer");
            }

            process!.StandardInput.Dispose();
            Expect.Equal(process.WaitForExit(TimeSpan.FromSeconds(20)).ToString(), "exit code 0", "the status");
        }

        Console.WriteLine("fine");
        return 0;
    }
}
