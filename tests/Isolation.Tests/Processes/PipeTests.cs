using System.Security.Cryptography;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class PipeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task Megabytes_flow_both_ways_at_once()
    {
        var data = RandomNumberGenerator.GetBytes(8 << 20);
        await using var process = await Cat();
        var write = Task.Run(async () =>
        {
            await process.StandardInput.WriteAsync(data, Token);
            await process.StandardInput.DisposeAsync();
        }, Token);
        using var received = new MemoryStream();
        await process.StandardOutput.CopyToAsync(received, Token);
        await write;
        received.ToArray().AsSpan().SequenceEqual(data).Should().BeTrue();
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(0);
    }

    [Fact(Timeout = 30_000)]
    public async Task Megabytes_flow_both_ways_with_blocking_calls()
    {
        var data = RandomNumberGenerator.GetBytes(4 << 20);
        await using var process = await Cat();
        var write = Task.Factory.StartNew(() =>
        {
            process.StandardInput.Write(data, 0, 1000);
            process.StandardInput.Write(data.AsSpan(1000));
            process.StandardInput.Dispose();
        }, Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var received = new byte[data.Length + 1];
        var count = await Task.Factory.StartNew(
            () => process.StandardOutput.ReadAtLeast(received, received.Length, throwOnEndOfStream: false),
            Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await write;
        received.AsSpan(0, count).SequenceEqual(data).Should().BeTrue();
    }

    [Fact(Timeout = 30_000)]
    public async Task Many_programs_are_served_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async n =>
        {
            var data = RandomNumberGenerator.GetBytes(300_000 + n);
            await using var process = await Cat();
            var write = Task.Run(async () =>
            {
                await process.StandardInput.WriteAsync(data, Token);
                await process.StandardInput.DisposeAsync();
            }, Token);
            using var received = new MemoryStream();
            await process.StandardOutput.CopyToAsync(received, Token);
            await write;
            received.ToArray().AsSpan().SequenceEqual(data).Should().BeTrue();
        }));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_read_can_be_canceled_and_another_goes_on()
    {
        await using var process = await Cat();
        var buffer = new byte[100];
        for (var i = 0; i < 300; i++)
        {
            using var cancellation = new CancellationTokenSource();
            var read = process.StandardOutput.ReadAsync(buffer, cancellation.Token).AsTask();
            if (i % 2 == 0) await cancellation.CancelAsync();
            else cancellation.CancelAfter(TimeSpan.FromMicroseconds(i));
            await FluentActions.Awaiting(() => read).Should().ThrowAsync<OperationCanceledException>();
            var next = process.StandardOutput.ReadAsync(buffer, Token);
            await process.WriteLine("line");
            (await next).Should().Be(5);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_cancellation_that_meets_the_data_loses_none_of_it()
    {
        await using var process = await Cat();
        var buffer = new byte[1];
        var sent = 0;
        var received = 0;
        for (var i = 0; i < 300; i++)
        {
            using var cancellation = new CancellationTokenSource();
            var read = process.StandardOutput.ReadAsync(buffer, cancellation.Token).AsTask();
            var write = process.StandardInput.WriteAsync(new byte[] { 1 }, Token);
            var cancel = Task.Run(cancellation.Cancel, Token);
            sent++;
            try
            {
                received += await read;
            }
            catch (OperationCanceledException)
            {
            }

            await write;
            await cancel;
        }

        await process.StandardInput.DisposeAsync();
        using var rest = new MemoryStream();
        await process.StandardOutput.CopyToAsync(rest, Token);
        (received + rest.Length).Should().Be(sent);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_write_to_a_full_pipe_can_be_canceled()
    {
        await using var process = await Sandbox.Waiting();
        using var cancellation = new CancellationTokenSource();
        var write = process.StandardInput.WriteAsync(new byte[1 << 20], cancellation.Token).AsTask();
        write.IsCompleted.Should().BeFalse();
        await cancellation.CancelAsync();
        await FluentActions.Awaiting(() => write).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_token_that_is_canceled_already_stops_a_read_and_a_write()
    {
        await using var process = await Cat();
        var canceled = new CancellationToken(true);
        await FluentActions.Awaiting(async () => await process.StandardOutput.ReadAsync(new byte[1], canceled))
            .Should().ThrowAsync<OperationCanceledException>();
        await FluentActions.Awaiting(async () => await process.StandardInput.WriteAsync(new byte[1], canceled))
            .Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task What_a_program_wrote_can_be_read_after_its_end()
    {
        var options = Sandbox.Shell("echo text; echo error >&2");
        options.StandardOutput = options.StandardError = StandardStream.Pipe;
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        await process.WaitForExitAsync(Token);
        (await process.ReadLine()).Should().Be("text");
        for (var i = 0; i < 3; i++) (await process.StandardOutput.ReadAsync(new byte[10], Token)).Should().Be(0);
        process.StandardError.ReadByte().Should().Be('e');
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_write_to_a_program_that_has_closed_its_input_fails(bool isAsync)
    {
        var options = Sandbox.Shell("exec 0<&-; echo closed; exec sleep 1000");
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        await process.ReadLine();
        await HostView.Until(() => HostView.Read(process.ProcessId, "comm") == "sleep\n", "nobody holds the input open");
        var write = () => isAsync
            ? process.StandardInput.WriteAsync(new byte[1], Token).AsTask()
            : Task.Run(() => process.StandardInput.WriteByte(1), Token);
        await write.Should().ThrowAsync<IOException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_write_that_waits_fails_when_the_program_ends()
    {
        await using var process = await Sandbox.Waiting();
        var write = process.StandardInput.WriteAsync(new byte[1 << 20], Token).AsTask();
        write.IsCompleted.Should().BeFalse();
        process.Kill();
        await FluentActions.Awaiting(() => write).Should().ThrowAsync<IOException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task Disposing_the_input_is_the_programs_end_of_file()
    {
        var options = Sandbox.Shell("cat; echo end");
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        await process.WriteLine("text");
        (await process.ReadLine()).Should().Be("text");
        await process.StandardInput.DisposeAsync();
        (await process.ReadLine()).Should().Be("end");
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(0);
        await FluentActions.Awaiting(async () => await process.StandardInput.WriteAsync(new byte[1], Token))
            .Should().ThrowAsync<ObjectDisposedException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_that_closes_its_output_ends_the_stream_before_it_ends()
    {
        var options = Sandbox.Shell("exec 1>&-; exec sleep 1000");
        options.StandardOutput = StandardStream.Pipe;
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        (await process.StandardOutput.ReadAsync(new byte[1], Token)).Should().Be(0);
        process.HasExited.Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task Two_reads_at_once_are_refused_and_the_first_goes_on()
    {
        await using var process = await Cat();
        for (var i = 0; i < 20; i++)
        {
            var first = process.StandardOutput.ReadAsync(new byte[10], Token).AsTask();
            await FluentActions.Awaiting(async () => await process.StandardOutput.ReadAsync(new byte[10], Token))
                .Should().ThrowAsync<InvalidOperationException>();
            await process.WriteLine("line");
            (await first).Should().Be(5);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Streams_know_what_they_can_do()
    {
        await using var process = await Cat();
        (process.StandardInput.CanRead, process.StandardInput.CanWrite, process.StandardInput.CanSeek).Should().Be((false, true, false));
        (process.StandardOutput.CanRead, process.StandardOutput.CanWrite, process.StandardOutput.CanSeek).Should().Be((true, false, false));
        FluentActions.Invoking(() => process.StandardOutput.Write(new byte[1], 0, 1)).Should().Throw<NotSupportedException>();
        FluentActions.Invoking(() => process.StandardInput.ReadByte()).Should().Throw<NotSupportedException>();
        process.StandardInput.Flush();
        await process.StandardInput.FlushAsync(Token);
    }

    private static Task<IsolatedProcess> Cat() =>
        IsolatedProcess.StartAsync(
            new IsolationOptions("cat") { StandardInput = StandardStream.Pipe, StandardOutput = StandardStream.Pipe }, Token);
}
