using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Interop;
using Isolation.Launching;
using Isolation.TestHost;
using Isolation.Tests.Hosts;
using Isolation.Tests.Support;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Isolation.Tests;

public sealed class DetachedTests : IDisposable
{
    private readonly List<string> _names = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (var name in _names)
        {
            using var process = IsolatedProcess.FindDetached(name);
            process?.Kill();
            process?.WaitForExit(TimeSpan.FromSeconds(20));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_program_outlives_its_app_and_is_found_again_and_controlled()
    {
        var name = Name();
        var pid = await StartAndLeave(name, "sleep 1000 & sleep 1000; true");

        var found = IsolatedProcess.FindDetached(name);
        found.Should().NotBeNull();
        await using var process = found!;
        process.DetachedName.Should().Be(name);
        process.ProcessId.Should().Be(pid);
        process.InnerProcessId.Should().Be(1);
        process.HasExited.Should().BeFalse();
        await HostView.Until(() => process.GetProcessIds().Count == 3, "a shell and two sleeps run");
        process.Pause().Should().BeTrue();
        process.GetProcessIds().Should().OnlyContain(static pid => HostView.StatusField(pid, "State").StartsWith('T'));
        process.Resume().Should().BeTrue();
        var listed = IsolatedProcess.ListDetached().Single(entry => entry.Name == name);
        listed.ProcessId.Should().Be(pid);
        listed.FileName.Should().Be("sh");
        listed.HasExited.Should().BeFalse();
        (DateTimeOffset.UtcNow - listed.StartTime).Should().BeLessThan(TimeSpan.FromMinutes(1)).And.BePositive();

        var pids = process.GetProcessIds();
        var status = await process.StopAsync(TimeSpan.FromMilliseconds(50), cancellationToken: Token);
        status.SignalNumber.Should().Be(9);
        status.Reason.Should().Be(ProcessEndReason.Killed);
        foreach (var one in pids) HostView.Exists(one).Should().BeFalse();
        IsolatedProcess.ListDetached().Should().Contain(entry => entry.Name == name && entry.HasExited, "until the end has been seen");
        process.Dispose();
        IsolatedProcess.ListDetached().Should().NotContain(entry => entry.Name == name);
        IsolatedProcess.FindDetached(name).Should().BeNull();
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_end_is_told_to_who_waits_and_to_who_comes_later(bool afterwards)
    {
        var name = Name();
        using var folder = new TemporaryFolder();
        var gate = Path.Combine(folder.Path, "gate");
        await File.WriteAllTextAsync(gate, "", Token);
        // It has no terminal and no pipe: it waits for a file of the host's to go, which it sees below the read-only tree.
        var options = Detach.Shell("while [ -e /mnt/gate ]; do sleep 0.01; done; exit 7");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/mnt"));
        var own = await IsolatedProcess.StartDetachedAsync(options, name, Token);
        await own.DisposeAsync();
        IsolatedProcess? process = null;
        if (!afterwards) process = IsolatedProcess.FindDetached(name);
        File.Delete(gate);
        if (afterwards) await HostView.Until(() => IsolatedProcess.ListDetached().Single(entry => entry.Name == name).HasExited, "it ends");
        process ??= IsolatedProcess.FindDetached(name);

        var status = await process!.WaitForExitAsync(Token);
        status.ExitCode.Should().Be(7);
        status.Reason.Should().Be(ProcessEndReason.Exited);
        process.HasExited.Should().BeTrue();
        process.WaitForExit(TimeSpan.FromSeconds(20)).ExitCode.Should().Be(7);
        process.Signal(PosixSignal.SIGTERM).Should().BeFalse();
        process.Kill();
        process.GetProcessIds().Should().BeEmpty();
        process.Dispose();
        IsolatedProcess.FindDetached(name).Should().BeNull();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_killed_app_takes_nothing_with_it_and_the_exit_code_is_kept()
    {
        var name = Name();
        using (var host = HostApp.Start([.. HostApp.Command, "detach", name, "read -r line; sleep 0.1; exit 9", "wait"]))
        {
            (await host.StandardOutput.ReadLineAsync(Token)).Should().StartWith("started ");
            host.Kill();
            await host.WaitForExitAsync(Token);
        }

        using var process = IsolatedProcess.FindDetached(name);
        (await process!.WaitForExitAsync(Token)).ExitCode.Should().Be(9);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true, Namespaces.Default)]
    [InlineData(false, Namespaces.Default & ~Namespaces.Pid)]
    public async Task It_works_with_an_init_and_without_a_PID_namespace(bool useInit, Namespaces namespaces)
    {
        var name = Name();
        var options = Detach.Shell("sleep 1000 & sleep 1000");
        options.UseInit = useInit;
        options.Namespaces = namespaces;
        IsolatedProcess.StartDetached(options, name).Dispose();
        using var process = IsolatedProcess.FindDetached(name)!;
        process.InnerProcessId.Should().Be(useInit ? 2 : process.ProcessId);
        await HostView.Until(() => process.GetProcessIds().Count == (useInit ? 4 : 3), "all run");
        var pids = process.GetProcessIds();
        process.Signal(PosixSignal.SIGTERM).Should().BeTrue();
        (await process.WaitForExitAsync(Token)).Signal.Should().Be(PosixSignal.SIGTERM);
        foreach (var pid in pids) await HostView.Until(() => !ProcessTable.IsAlive(pid), "all inside end with it");
    }

    [Fact(Timeout = 60_000)]
    public async Task The_monitor_keeps_nothing_of_the_app()
    {
        var name = Name();
        var pid = await StartAndLeave(name, "sleep 1000");
        var monitor = int.Parse(HostView.StatusField(pid, "PPid"), null);

        HostView.Descriptors(monitor).Values.Should().OnlyContain(static target => target.StartsWith("anon_inode:[signalfd]") || target.Contains("pidfd"));
        new FileInfo($"/proc/{monitor}/cwd").LinkTarget.Should().Be("/");
        var stat = HostView.Read(monitor, "stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        fields[3].Should().Be(monitor.ToString(null, null), "it leads a session of its own");
        fields[4].Should().Be("0", "it has no terminal");
        // A terminal that hangs up, and a shell that says good-bye, are nothing to it.
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGHUP, PosixSignal.SIGINT, PosixSignal.SIGTERM])
            Kernel.kill(monitor, PosixSignals.ToNumber(signal)).Should().Be(0);
        await Task.Delay(20, Token);
        ProcessTable.IsAlive(pid).Should().BeTrue();
    }

    [Fact(Timeout = 60_000)]
    public async Task Who_loses_its_monitor_ends_and_that_is_told()
    {
        var name = Name();
        var pid = await StartAndLeave(name, "sleep 1000");
        Kernel.kill(int.Parse(HostView.StatusField(pid, "PPid"), null), 9).Should().Be(0);
        await HostView.Until(() => !ProcessTable.IsAlive(pid), "it ends");
        await HostView.Until(() => IsolatedProcess.ListDetached().Single(entry => entry.Name == name).HasExited, "that is noticed");
        using var process = IsolatedProcess.FindDetached(name)!;
        process.ExitStatus.SignalNumber.Should().Be(9);
        process.ExitStatus.Reason.Should().Be(ProcessEndReason.Signaled);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_name_is_taken_while_its_program_lives_and_free_when_that_has_ended()
    {
        var name = Name();
        using var first = IsolatedProcess.StartDetached(Detach.Shell("sleep 1000"), name);
        var second = () => IsolatedProcess.StartDetached(Detach.Shell("exit 0"), name);
        second.Should().Throw<IsolationException>().Which.Errno.Should().Be(17);
        first.HasExited.Should().BeFalse();

        first.Kill();
        await first.WaitForExitAsync(Token);
        using var third = IsolatedProcess.StartDetached(Detach.Shell("sleep 1000"), name);
        first.Dispose();
        using var found = IsolatedProcess.FindDetached(name);
        found!.ProcessId.Should().Be(third.ProcessId, "the first one's end does not take the name from the third");
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_a_name_one_is_made_up_and_disposal_lets_go()
    {
        string name;
        int pid;
        await using (var process = await IsolatedProcess.StartDetachedAsync(Detach.Shell("sleep 1000"), cancellationToken: Token))
        {
            name = process.DetachedName!;
            pid = process.ProcessId;
            _names.Add(name);
        }

        ProcessTable.IsAlive(pid).Should().BeTrue();
        var found = IsolatedProcess.FindDetached(name)!;
        var exit = found.WaitForExitAsync(Token);
        found.Dispose();
        await ((Func<Task>)(() => exit)).Should().ThrowAsync<ObjectDisposedException>();
        ProcessTable.IsAlive(pid).Should().BeTrue();
        await using var again = IsolatedProcess.FindDetached(name)!;
        again.Kill();
        (await again.WaitForExitAsync(Token)).Reason.Should().Be(ProcessEndReason.Killed);
        (await Sandbox.Waiting()).Dispose();
    }

    /// <summary>Whoever reaps tells the user's logger before anybody else; until that is done this thread has to wait.</summary>
    [Fact(Timeout = 60_000)]
    public void The_end_leaves_no_trace_however_late_it_is_told()
    {
        using var reaped = new ManualResetEventSlim();
        var options = Detach.Shell("exit 3");
        options.Logger = new ListLogger(LogLevel.Debug, entry =>
        {
            if (!entry.Contains("ended with", StringComparison.Ordinal)) return;
            reaped.Set();
            Thread.Sleep(300);
        });
        var process = IsolatedProcess.StartDetached(options, Name());
        reaped.Wait(Token); // by the event loop's doing: this thread has asked for nothing
        process.Dispose();
        IsolatedProcess.FindDetached(process.DetachedName!).Should().BeNull();
        process.ExitStatus.ExitCode.Should().Be(3);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_number_that_is_somebody_elses_by_now_is_not_touched()
    {
        var name = Name();
        using var process = IsolatedProcess.StartDetached(Detach.Shell("sleep 1000"), name);
        var monitor = HostView.StatusField(process.ProcessId, "PPid");
        // As if the monitor had ended, and its number been given to a process that was started at another time.
        var path = Path.Combine(StateFolder.Open(), name);
        var bytes = await File.ReadAllBytesAsync(path, Token);
        var stat = HostView.Read(int.Parse(monitor, null), "stat");
        var start = stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        var at = bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes($" {start} "));
        at.Should().BePositive();
        bytes[at + 1] = bytes[at + 1] == (byte)'9' ? (byte)'8' : (byte)'9';
        File.Delete(path);
        await File.WriteAllBytesAsync(path, bytes, Token);

        using var stranger = IsolatedProcess.FindDetached(name)!;
        stranger.HasExited.Should().BeTrue();
        stranger.Kill();
        stranger.Signal(PosixSignal.SIGTERM).Should().BeFalse();
        await Task.Delay(20, Token);
        ProcessTable.IsAlive(process.ProcessId).Should().BeTrue();
        process.Kill();
        await process.WaitForExitAsync(Token);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_is_left_of_another_boot_or_of_a_start_that_came_to_nothing_goes()
    {
        foreach (var isOtherBoot in (bool[])[true, false])
        {
            var name = Name();
            using var process = IsolatedProcess.StartDetached(Detach.Shell("exit 0"), name);
            await process.WaitForExitAsync(Token);
            var path = Path.Combine(StateFolder.Open(), name);
            var bytes = await File.ReadAllBytesAsync(path, Token);
            var boot = bytes.AsSpan().IndexOf(DetachedFinder.Boot.ToByteArray());
            if (isOtherBoot)
            {
                bytes[boot] ^= 1;
            }
            else
            {
                bytes.AsSpan(8, 4).Clear(); // "go": it was never confirmed …
                bytes[boot + 40] ^= 1; // … and whoever has the number of its starter was started at another time
            }

            File.Delete(path);
            await File.WriteAllBytesAsync(path, bytes, Token);
            IsolatedProcess.ListDetached().Should().NotContain(entry => entry.Name == name);
            File.Exists(path).Should().BeFalse(isOtherBoot ? "it is of another boot" : "it came to nothing");
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_start_that_fails_leaves_no_trace(bool isAsync)
    {
        var name = Name();
        var start = async () =>
        {
            if (isAsync) (await IsolatedProcess.StartDetachedAsync(new IsolationOptions("/no/such/program"), name, Token)).Dispose();
            else IsolatedProcess.StartDetached(new IsolationOptions("/no/such/program"), name).Dispose();
        };
        (await start.Should().ThrowAsync<IsolationException>()).Which.Step.Should().Be("execute the program");
        File.Exists(Path.Combine(StateFolder.Open(), name)).Should().BeFalse();
    }

    [Fact]
    public void Only_what_can_work_without_the_app_is_possible()
    {
        var piped = Detach.Shell("exit 0");
        piped.StandardOutput = StandardStream.Pipe;
        ((Action)(() => IsolatedProcess.StartDetached(piped))).Should().Throw<ArgumentException>().WithMessage("*StandardOutput*pipe*");
        var reported = Detach.Shell("exit 0");
        reported.Security.DenialReporter = static _ => { };
        ((Action)(() => IsolatedProcess.StartDetached(reported))).Should().Throw<ArgumentException>();
        foreach (var name in (string[])["", ".hidden", "a/b", "..", "a b", new string('x', 65)])
            ((Action)(() => IsolatedProcess.StartDetached(Detach.Shell("exit 0"), name))).Should().Throw<ArgumentException>();
        ((Action)(() => IsolatedProcess.FindDetached("a/b"))).Should().Throw<ArgumentException>();
        IsolatedProcess.FindDetached("no-such-name").Should().BeNull();
    }

    [Fact]
    public void The_folder_is_closed_to_others() =>
        File.GetUnixFileMode(StateFolder.Open()).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    /// <summary>Starts it in an app that ends at once.</summary>
    private static async Task<int> StartAndLeave(string name, string script)
    {
        var output = await HostApp.RunAsync(Token, "detach", name, script);
        output.Should().StartWith("started ");
        return int.Parse(output["started ".Length..], null);
    }

    private string Name()
    {
        var name = $"test-{Guid.NewGuid():N}";
        _names.Add(name);
        return name;
    }
}
