using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

[Collection(AloneCollection.Name)]
public class PendingReadTests
{
    [Fact(Timeout = 60_000)]
    public async Task Two_hundred_pending_reads_hold_no_thread()
    {
        const int count = 200;
        var token = TestContext.Current.CancellationToken;
        var options = new IsolationOptions("cat") { StandardInput = StandardStream.Pipe, StandardOutput = StandardStream.Pipe };
        options.Namespaces = Namespaces.Pid | Namespaces.Mount | Namespaces.User;
        var processes = new List<IsolatedProcess>();
        try
        {
            var reads = new List<Task<int>>();
            var waits = new List<Task<ProcessExitStatus>>();
            var before = Threads();
            for (var i = 0; i < count; i++)
            {
                var process = await IsolatedProcess.StartAsync(options, token);
                processes.Add(process);
                reads.Add(process.StandardOutput.ReadAsync(new byte[10], token).AsTask());
                waits.Add(process.WaitForExitAsync(token));
            }

            reads.Should().OnlyContain(static read => !read.IsCompleted);
            // The thread pool may add a few for its own reasons; a thread for each read it would not hide.
            Threads().Should().BeLessThan(before + 8);
            ThreadPool.GetAvailableThreads(out var free, out _);
            ThreadPool.GetMaxThreads(out var all, out _);
            (all - free).Should().BeLessThan(8, "none of them blocks a thread of the pool");
            foreach (var process in processes) await process.WriteLine("line");
            (await Task.WhenAll(reads)).Should().OnlyContain(static read => read == 5);
            foreach (var process in processes) process.StandardInput.Dispose();
            (await Task.WhenAll(waits)).Should().OnlyContain(static status => status.ExitCode == 0);
        }
        finally
        {
            foreach (var process in processes) await process.DisposeAsync();
        }
    }

    private static int Threads() => Directory.GetDirectories("/proc/self/task").Length;
}
