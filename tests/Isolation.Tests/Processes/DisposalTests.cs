using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

[Collection(AloneCollection.Name)]
public class DisposalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task Disposing_leaves_no_process_zombie_or_descriptor(bool isAsync, bool useInit)
    {
        await RunOnce(isAsync, useInit); // the library's own descriptors are opened once
        var before = HostView.Descriptors(Environment.ProcessId);
        for (var i = 0; i < 10; i++) await RunOnce(isAsync, useInit);
        // What an earlier test has left to the finalizer may vanish meanwhile; nothing may be added.
        HostView.Descriptors(Environment.ProcessId).Except(before).Should().BeEmpty();
        HostView.Zombies().Should().BeEmpty();
    }

    [Fact(Timeout = 30_000)]
    public async Task Disposing_without_a_pid_namespace_ends_the_process_group()
    {
        var process = await Sandbox.Waiting(Sandbox.ShellIn(Namespaces.Default & ~Namespaces.Pid, "sleep 1000 & sleep 1000 &"));
        HostView.ProcessesOfGroup(process.ProcessId).Should().HaveCount(3);
        process.Dispose();
        await HostView.Until(() => HostView.ProcessesOfGroup(process.ProcessId).Count == 0, "the group has ended");
    }

    [Fact(Timeout = 30_000)]
    public async Task Disposing_twice_is_as_good_as_once()
    {
        var process = await Sandbox.Waiting();
        process.Dispose();
        process.Dispose();
        await process.DisposeAsync();
        process.HasExited.Should().BeTrue();
        process.ExitStatus.SignalNumber.Should().Be(9);
        process.Signal((System.Runtime.InteropServices.PosixSignal)9).Should().BeFalse();
        process.Kill();
        (await process.WaitForExitAsync(Token)).SignalNumber.Should().Be(9);
    }

    [Fact(Timeout = 30_000)]
    public async Task Disposing_from_many_threads_at_once_is_safe()
    {
        for (var i = 0; i < 20; i++)
        {
            var process = await Sandbox.Waiting(Namespaces.Pid | Namespaces.User);
            await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(async () =>
            {
                if (n % 2 == 0) process.Dispose();
                else await process.DisposeAsync();
            }, Token)));
            HostView.Exists(process.ProcessId).Should().BeFalse();
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Disposing_what_has_ended_keeps_its_status()
    {
        var process = await IsolatedProcess.StartAsync(Sandbox.Shell("exit 3"), Token);
        await process.WaitForExitAsync(Token);
        await process.DisposeAsync();
        process.ExitStatus.ToString().Should().Be("exit code 3");
    }

    [Fact(Timeout = 30_000)]
    public async Task Disposing_ends_a_read_that_is_under_way()
    {
        var process = await Sandbox.Waiting();
        var read = process.StandardOutput.ReadAsync(new byte[1], Token).AsTask();
        await process.DisposeAsync();
        // Either the program's end was seen first, or the stream's.
        try
        {
            (await read).Should().Be(0);
        }
        catch (ObjectDisposedException)
        {
        }

        await FluentActions.Awaiting(async () => await process.StandardOutput.ReadAsync(new byte[1], Token))
            .Should().ThrowAsync<ObjectDisposedException>();
        (process.StandardOutput.CanRead, process.StandardInput.CanWrite).Should().Be((false, false));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_stream_that_is_used_after_its_end_closes_no_descriptor_of_others()
    {
        var process = await Sandbox.Waiting();
        var (input, output) = (process.StandardInput, process.StandardOutput);
        await process.DisposeAsync();
        // Some of these get the numbers that the pipes had.
        var files = Enumerable.Range(0, 64).Select(static _ => File.OpenHandle("/dev/null")).ToList();
        for (var i = 0; i < 4; i++)
        {
            FluentActions.Invoking(() => output.ReadByte()).Should().Throw<ObjectDisposedException>();
            FluentActions.Invoking(() => input.WriteByte(1)).Should().Throw<ObjectDisposedException>();
            await FluentActions.Awaiting(async () => await output.ReadAsync(new byte[1], Token)).Should().ThrowAsync<ObjectDisposedException>();
        }

        var open = HostView.Descriptors(Environment.ProcessId);
        foreach (var file in files)
        {
            open.Should().Contain((int)file.DangerousGetHandle(), "/dev/null");
            file.Dispose();
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_failed_start_leaves_nothing()
    {
        var options = Sandbox.Shell(":");
        options.FileName = "/no/such/program";
        options.StandardOutput = options.StandardError = options.StandardInput = StandardStream.Pipe;
        await Fail();
        var before = HostView.Descriptors(Environment.ProcessId);
        for (var i = 0; i < 10; i++) await Fail();
        HostView.Descriptors(Environment.ProcessId).Except(before).Should().BeEmpty();
        HostView.Zombies().Should().BeEmpty();

        async Task Fail()
        {
            FluentActions.Invoking(() => IsolatedProcess.Start(options)).Should().Throw<IsolationException>();
            await FluentActions.Awaiting(() => IsolatedProcess.StartAsync(options, Token)).Should().ThrowAsync<IsolationException>();
        }
    }

    private static async Task RunOnce(bool isAsync, bool useInit)
    {
        var options = Sandbox.Shell("sleep 1000 & (sleep 1000 &)");
        options.UseInit = useInit;
        options.StandardError = StandardStream.Pipe;
        var process = await Sandbox.Waiting(options);
        var inside = HostView.Namespace(process.ProcessId, "pid");
        HostView.ProcessesIn(inside).Should().HaveCountGreaterThanOrEqualTo(3);
        if (isAsync) await process.DisposeAsync();
        else process.Dispose();
        HostView.ProcessesIn(inside).Should().BeEmpty();
        HostView.Exists(process.ProcessId).Should().BeFalse();
    }
}
