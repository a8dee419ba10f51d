using System.IO.Pipes;
using FluentAssertions;
using Isolation.Tests.Support;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Isolation.Tests;

public class StandardStreamTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task Inherited_streams_are_the_hosts_own()
    {
        await using var process = await IsolatedProcess.StartAsync(new IsolationOptions("sleep", "1000"), Token);
        var host = HostView.Descriptors(Environment.ProcessId);
        await process.HasOpen((0, host[0]), (1, host[1]), (2, host[2]));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_null_stream_ends_at_once_and_swallows_everything()
    {
        var options = new IsolationOptions("sh", "-c", "cat; echo text; echo text >&2; exec sleep 1000")
        {
            StandardInput = StandardStream.Null, StandardOutput = StandardStream.Null, StandardError = StandardStream.Null,
        };
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        await process.HasOpen((0, "/dev/null"), (1, "/dev/null"), (2, "/dev/null"));
        await HostView.Until(() => HostView.Read(process.ProcessId, "comm") == "sleep\n", "the script has come to its end");
    }

    [Fact(Timeout = 30_000)]
    public async Task Streams_can_be_files()
    {
        using var folder = new TemporaryFolder();
        var (output, error) = (Path.Combine(folder.Path, "out"), Path.Combine(folder.Path, "err"));
        using (var input = File.OpenHandle(folder.File("in", "from a file\n")))
        using (var outputHandle = File.OpenHandle(output, FileMode.Create, FileAccess.Write))
        using (var errorHandle = File.OpenHandle(error, FileMode.Create, FileAccess.Write))
        {
            var options = new IsolationOptions("sh", "-c", "cat; echo error >&2; readlink /proc/self/fd/0 >/dev/null")
            {
                StandardInput = StandardStream.FromHandle(input),
                StandardOutput = StandardStream.FromHandle(outputHandle),
                StandardError = StandardStream.FromHandle(errorHandle),
            };
            // The host's file, though the sandbox has a /tmp of its own and a read-only tree: a handle is a handle.
            (await IsolatedProcess.RunAsync(options, Token)).ExitCode.Should().Be(0);
            (await IsolatedProcess.RunAsync(options, Token)).ExitCode.Should().Be(0, "the handles stay the caller's");
        }

        (await File.ReadAllTextAsync(output, Token)).Should().Be("from a file\n", "the second run found the input at its end");
        (await File.ReadAllTextAsync(error, Token)).Should().Be("error\nerror\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Two_programs_can_be_piped_together()
    {
        using var server = new AnonymousPipeServerStream(PipeDirection.Out, HandleInheritability.None);
        using var readEnd = server.ClientSafePipeHandle;
        var consumer = IsolatedProcess.RunAndCaptureTextAsync(
            new IsolationOptions("wc", "-c") { StandardInput = StandardStream.FromHandle(readEnd) }, Token);
        var head = new IsolationOptions("head", "-c", "1000000", "/dev/zero") { StandardOutput = StandardStream.FromHandle(server.SafePipeHandle) };
        var producer = await IsolatedProcess.RunAsync(head, Token);
        producer.ExitCode.Should().Be(0);
        server.Dispose(); // the last writer: now the consumer sees the end
        (await consumer).StandardOutput.Should().Be("1000000\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_handle_may_be_closed_once_the_start_is_done()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "out");
        IsolatedProcess process;
        using (var handle = File.OpenHandle(file, FileMode.Create, FileAccess.Write))
        {
            var options = Sandbox.Shell("read -r line; echo $line");
            options.StandardInput = StandardStream.Pipe;
            options.StandardOutput = StandardStream.FromHandle(handle);
            process = await IsolatedProcess.StartAsync(options, Token);
        }

        await using (process)
        {
            await process.WriteLine("late");
            (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(0);
        }

        (await File.ReadAllTextAsync(file, Token)).Should().Be("late\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Standard_error_can_go_where_the_hosts_standard_output_goes()
    {
        using var output = new SafeFileHandle(1, ownsHandle: false);
        await using var process = await IsolatedProcess.StartAsync(
            new IsolationOptions("sleep", "1000") { StandardError = StandardStream.FromHandle(output) }, Token);
        var host = HostView.Descriptors(Environment.ProcessId);
        await process.HasOpen((0, host[0]), (1, host[1]), (2, host[1]));
    }

    [Fact(Timeout = 30_000)]
    public async Task Standard_streams_can_be_given_crosswise()
    {
        using var input = new SafeFileHandle(0, ownsHandle: false);
        using var output = new SafeFileHandle(1, ownsHandle: false);
        using var error = new SafeFileHandle(2, ownsHandle: false);
        var options = new IsolationOptions("sleep", "1000")
        {
            StandardInput = StandardStream.FromHandle(error),
            StandardOutput = StandardStream.FromHandle(input),
            StandardError = StandardStream.FromHandle(output),
        };
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        var host = HostView.Descriptors(Environment.ProcessId);
        await process.HasOpen((0, host[2]), (1, host[0]), (2, host[1]));
    }

    [Fact(Timeout = 30_000)]
    public async Task One_handle_can_be_both_outputs()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "both");
        using (var handle = File.OpenHandle(file, FileMode.Create, FileAccess.Write))
        {
            var options = Sandbox.Shell("echo out; echo err >&2");
            options.StandardOutput = options.StandardError = StandardStream.FromHandle(handle);
            (await IsolatedProcess.RunAsync(options, Token)).ExitCode.Should().Be(0);
        }

        (await File.ReadAllTextAsync(file, Token)).Should().Be("out\nerr\n");
    }

    [Fact]
    public void A_closed_handle_is_refused()
    {
        var handle = File.OpenHandle("/dev/null");
        var stream = StandardStream.FromHandle(handle);
        handle.Dispose();
        FluentActions.Invoking(() => StandardStream.FromHandle(handle)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => IsolatedProcess.Start(new IsolationOptions("true") { StandardInput = stream }))
            .Should().Throw<ArgumentException>().WithMessage("StandardInput*");
    }
}
