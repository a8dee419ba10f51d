using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class ReadAllTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task All_text_of_both_outputs_is_read()
    {
        await using var process = await Start("i=0; while [ $i -lt 5000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done");
        var (output, error) = await process.ReadAllTextAsync(Token);
        output.Should().Be(string.Concat(Enumerable.Range(0, 5_000).Select(static i => $"out {i}\n")));
        error.Should().Be(string.Concat(Enumerable.Range(0, 5_000).Select(static i => $"err {i}\n")));
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(0);
    }

    [Fact(Timeout = 30_000)]
    public async Task Reading_all_text_can_be_canceled()
    {
        await using var process = await Sandbox.Waiting();
        using var cancellation = new CancellationTokenSource();
        var read = process.ReadAllTextAsync(cancellation.Token);
        await cancellation.CancelAsync();
        await FluentActions.Awaiting(() => read).Should().ThrowAsync<OperationCanceledException>();
        process.HasExited.Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task Lines_come_in_order_and_say_where_they_were_written()
    {
        await using var process = await Start("i=0; while [ $i -lt 2000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; printf last");
        var lines = new List<ProcessOutputLine>();
        await foreach (var line in process.ReadAllLinesAsync(Token)) lines.Add(line);
        lines.Where(static line => !line.StandardError).Select(static line => line.Content)
            .Should().Equal(Enumerable.Range(0, 2000).Select(static i => $"out {i}").Append("last"));
        lines.Where(static line => line.StandardError).Select(static line => line.Content)
            .Should().Equal(Enumerable.Range(0, 2000).Select(static i => $"err {i}"));
    }

    [Fact(Timeout = 30_000)]
    public async Task Lines_come_as_they_are_written()
    {
        await using var process = await Start("echo one; read -r line; echo $line; read -r line", withInput: true);
        await using var lines = process.ReadAllLinesAsync(Token).GetAsyncEnumerator(Token);
        (await lines.MoveNextAsync()).Should().BeTrue();
        lines.Current.Content.Should().Be("one");
        await process.WriteLine("two");
        (await lines.MoveNextAsync()).Should().BeTrue();
        lines.Current.Should().Be(new ProcessOutputLine("two", false));
        process.StandardInput.Dispose();
        (await lines.MoveNextAsync()).Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task Empty_lines_and_long_lines_and_unfinished_ones_are_lines()
    {
        await using var process = await Start("""echo; printf 'a\r\n'; head -c 300000 /dev/zero | tr '\0' x; printf '\n\nend'""");
        var lines = new List<string>();
        await foreach (var line in process.ReadAllLinesAsync(Token)) lines.Add(line.Content);
        lines.Should().Equal("", "a", new string('x', 300_000), "", "end");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_slow_reader_makes_the_program_wait()
    {
        var options = Sandbox.Shell("i=0; while [ $i -lt 30000 ]; do echo $i; i=$((i+1)); done");
        options.StandardOutput = StandardStream.Pipe;
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        await using var lines = process.ReadAllLinesAsync(Token).GetAsyncEnumerator(Token);
        (await lines.MoveNextAsync()).Should().BeTrue();
        // Blocked in the write to the full pipe, not running: it waits for this reader.
        await HostView.Until(() => HostView.StatusField(process.ProcessId, "State").StartsWith('S'), "the program sleeps");
        process.HasExited.Should().BeFalse();
        var count = 1;
        while (await lines.MoveNextAsync()) lines.Current.Content.Should().Be((count++).ToString(CultureInfo.InvariantCulture));
        count.Should().Be(30_000);
    }

    [Fact(Timeout = 30_000)]
    public async Task Reading_lines_can_be_left_early()
    {
        await using var process = await Start("while :; do echo line; done");
        var count = 0;
        await foreach (var _ in process.ReadAllLinesAsync(Token))
            if (++count == 10) break;
        // The stream is free again for another reader.
        (await process.StandardOutput.ReadAsync(new byte[10], Token)).Should().BePositive();
        process.HasExited.Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task Reading_lines_can_be_canceled()
    {
        await using var process = await Start("echo one; read -r line", withInput: true);
        using var cancellation = new CancellationTokenSource();
        var seen = new List<string>();
        await FluentActions.Awaiting(async () =>
        {
            await foreach (var line in process.ReadAllLinesAsync(cancellation.Token))
            {
                seen.Add(line.Content);
                await cancellation.CancelAsync();
            }
        }).Should().ThrowAsync<OperationCanceledException>();
        seen.Should().Equal("one");
        process.HasExited.Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task One_output_alone_can_be_read()
    {
        var options = Sandbox.Shell("echo out; echo err >&2");
        options.StandardError = StandardStream.Pipe;
        options.StandardOutput = StandardStream.Null;
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        (await process.ReadAllTextAsync(Token)).Should().Be(("", "err\n"));
    }

    private static Task<IsolatedProcess> Start(string script, bool withInput = false)
    {
        var options = Sandbox.Shell(script);
        options.StandardOutput = options.StandardError = StandardStream.Pipe;
        if (withInput) options.StandardInput = StandardStream.Pipe;
        return IsolatedProcess.StartAsync(options, Token);
    }
}
