using System.Diagnostics;
using System.Globalization;
using FluentAssertions;
using Isolation.TestHost;
using Xunit;

namespace Isolation.Tests.Hosts;

/// <summary>KillOnParentExit: when the host is gone, however it went, so is everything it started.</summary>
public class ParentExitTests
{
    private const int Patience = 300_000;

    /// <summary>How many hosts are killed in each setting; the environment may ask for more, for long runs by hand.</summary>
    private static readonly int s_count = int.Parse(Environment.GetEnvironmentVariable("ISOLATION_TEST_KILLS") ?? "8", CultureInfo.InvariantCulture);

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [Theory(Timeout = 4 * Patience)]
    [InlineData("pid")]
    [InlineData("no-pid")]
    [InlineData("init")]
    [InlineData("suspended")]
    [InlineData("suspended", "ignoring-sigchld")]
    [InlineData("terminal")]
    [InlineData("pid", "ignoring-sigchld")]
    [InlineData("no-pid", "ignoring-sigchld")]
    [InlineData("init", "ignoring-sigchld")]
    public async Task Nothing_survives_a_host_that_is_killed_at_any_moment(string mode, params string[] settings)
    {
        var random = new Random(mode.Length + settings.Length);
        for (var i = 0; i < s_count; i++)
        {
            var marker = Marker();
            using var host = HostApp.Start([.. HostApp.Command, .. settings, "parent", marker, mode, "4"]);
            string stage;
            try
            {
                stage = await StageAsync(host);
                // A start takes a millisecond or two, the first one a few dozen: this hits each part of them some time.
                if (i == 0) (await host.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).Should().Be("started");
                else await Task.Delay(random.Next(150), TestContext.Current.CancellationToken);
                if (i == 0) ProcessTable.WithArgument(marker).Should().HaveCountGreaterThanOrEqualTo(8, "else there is nothing to see");
            }
            finally
            {
                host.Kill();
            }

            await ExpectGoneAsync(marker, stage, TestContext.Current.CancellationToken);
        }
    }

    [Theory(Timeout = Patience)]
    [InlineData]
    [InlineData("ignoring-sigchld")]
    public async Task A_program_outlives_the_thread_that_started_it(params string[] settings) =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, [.. settings, "thread-end"])).Should().Be("fine\n");

    [Theory(Timeout = Patience)]
    [InlineData]
    [InlineData("ignoring-sigchld")]
    public async Task A_program_that_may_outlive_the_host_does(params string[] settings)
    {
        var marker = Marker();
        using var host = HostApp.Start([.. HostApp.Command, .. settings, "parent", marker, "survivor", "1"]);
        var survivors = new List<int>();
        try
        {
            var stage = await StageAsync(host);
            (await host.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).Should().Be("started");
            host.Kill();
            await host.WaitForExitAsync(TestContext.Current.CancellationToken);
            // The others of the same host have been killed by now, so this one would have been, too.
            await ExpectGoneAsync(marker + "0", null, TestContext.Current.CancellationToken);
            survivors = ProcessTable.WithArgument(marker + "1");
            survivors.Should().HaveCount(4, "a shell, its child, and the sleeps of both are left");
        }
        finally
        {
            if (!host.HasExited) host.Kill();
            foreach (var pid in survivors.Concat(ProcessTable.WithArgument(marker))) Kill(pid);
        }
    }

    [Theory(Timeout = 4 * Patience)]
    [InlineData]
    [InlineData("ignoring-sigchld")]
    public async Task What_survives_detached_is_found_and_nothing_else_survives(params string[] settings)
    {
        var random = new Random(settings.Length);
        for (var i = 0; i < s_count; i++)
        {
            var marker = Marker();
            using var host = HostApp.Start([.. HostApp.Command, .. settings, "parent", marker, "detached", "4"]);
            string stage;
            try
            {
                stage = await StageAsync(host);
                if (i == 0) (await host.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).Should().Be("started");
                else await Task.Delay(random.Next(150), TestContext.Current.CancellationToken);
            }
            finally
            {
                host.Kill();
            }

            await host.WaitForExitAsync(TestContext.Current.CancellationToken);
            var found = IsolatedProcess.ListDetached().Where(entry => entry.Name.StartsWith(marker, StringComparison.Ordinal)).ToList();
            if (i == 0) found.Should().HaveCount(8).And.OnlyContain(static entry => !entry.HasExited, "detached programs go on");
            foreach (var entry in found)
            {
                await using var process = IsolatedProcess.FindDetached(entry.Name)!;
                process.Kill();
                (await process.WaitForExitAsync(TestContext.Current.CancellationToken)).SignalNumber.Should().Be(9);
            }

            // What was not yet a program when the host died is not found, and ends by itself.
            await ExpectGoneAsync(marker, stage, TestContext.Current.CancellationToken);
            IsolatedProcess.ListDetached().Should().NotContain(entry => entry.Name.StartsWith(marker, StringComparison.Ordinal));
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_program_cannot_undo_it()
    {
        const string python = "/usr/bin/python3";
        Assert.SkipUnless(File.Exists(python), "There is no python3 to call prctl with.");
        var marker = Marker();
        using var host = HostApp.Start([.. HostApp.Command, "parent", marker, "prctl", "1"]);
        var stage = "";
        try
        {
            stage = await StageAsync(host);
            (await host.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).Should().Be("cleared", "the program has cleared PR_SET_PDEATHSIG");
            ProcessTable.WithArgument(marker).Should().NotBeEmpty();
        }
        finally
        {
            host.Kill();
        }

        await ExpectGoneAsync(marker, stage, TestContext.Current.CancellationToken);
    }

    [Theory(Timeout = Patience)]
    [InlineData]
    [InlineData("contained", "foreign-proc", "expect-foreign-proc")]
    public async Task A_guard_kills_who_is_listed_and_spares_who_only_has_the_number(params string[] settings)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/setsid"), "There is no setsid to make a process group with.");
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, [.. settings, "listed"])).Should().Be("fine\n");
    }

    [Fact(Timeout = Patience)]
    public async Task A_guard_that_is_killed_is_replaced()
    {
        var marker = Marker();
        using var host = HostApp.Start([.. HostApp.Command, "guard", marker]);
        var stage = "";
        try
        {
            stage = await StageAsync(host);
            var line = await host.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            if (line is null) (await host.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)).Should().BeEmpty();
            line.Should().Be("started");
            ProcessTable.WithArgument(marker).Should().NotBeEmpty();
        }
        finally
        {
            host.Kill();
        }

        await ExpectGoneAsync(marker, stage, TestContext.Current.CancellationToken);
    }

    /// <summary>A number of seconds to sleep that is nobody else's.</summary>
    private static string Marker() => Random.Shared.Next(100_000_000, 999_999_999).ToString(CultureInfo.InvariantCulture);

    private static async Task<string> StageAsync(Process host)
    {
        var line = await host.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        if (line is null) (await host.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)).Should().BeEmpty();
        line.Should().StartWith("stage ");
        return line![6..];
    }

    /// <summary>Neither a program nor a supervisor nor a set-up of that host is left; they need a moment to die.</summary>
    private static async Task ExpectGoneAsync(string marker, string? stage, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var left = ProcessTable.WithArgument(marker);
            if (stage is not null) left.AddRange(ProcessTable.OfStage(stage));
            if (left.Count == 0) return;
            if (watch.Elapsed > s_patience)
            {
                var what = left.Select(pid => $"{pid} {File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ')}").ToArray();
                foreach (var pid in left) Kill(pid);
                what.Should().BeEmpty("nothing may survive the host");
            }

            await Task.Delay(10, cancellationToken);
        }
    }

    private static void Kill(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // gone already
        }
    }
}
