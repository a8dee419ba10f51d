using System.Runtime.CompilerServices;
using System.Threading.Channels;
using CommunityToolkit.HighPerformance.Buffers;
using Isolation.Supervision;

namespace Isolation;

// Reading everything that a running program writes.
public sealed partial class IsolatedProcess
{
    /// <summary>Reads standard output and error, where they are pipes, to their ends, decoded as UTF-8.</summary>
    /// <exception cref="InvalidOperationException">Neither is <see cref="StandardStream.Pipe"/>.</exception>
    /// <exception cref="OperationCanceledException">Canceled before the end; what had been read is lost.</exception>
    public async Task<(string StandardOutput, string StandardError)> ReadAllTextAsync(CancellationToken cancellationToken = default)
    {
        if (_child.Output is null && _child.Error is null) throw NotPiped(nameof(StandardOutput));
        using var output = new ArrayPoolBufferWriter<byte>();
        using var error = new ArrayPoolBufferWriter<byte>();
        await Task.WhenAll(OutputCapture.ReadAsync(_child.Output, output, cancellationToken), OutputCapture.ReadAsync(_child.Error, error, cancellationToken)).ConfigureAwait(false);
        return (OutputCapture.Text(output), OutputCapture.Text(error));
    }

    /// <summary>Yields the lines of standard output and error, where they are pipes, as they come, decoded as UTF-8.</summary>
    /// <remarks>Lines of the same stream keep their order. A reader that is slow makes the program wait. Leaving the enumeration loses what was read ahead.</remarks>
    /// <exception cref="InvalidOperationException">Neither is <see cref="StandardStream.Pipe"/>.</exception>
    public async IAsyncEnumerable<ProcessOutputLine> ReadAllLinesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (_child.Output is null && _child.Error is null) throw NotPiped(nameof(StandardOutput));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var lines = Channel.CreateBounded<ProcessOutputLine>(new BoundedChannelOptions(64) { SingleReader = true });
        var both = Pump();
        try
        {
            await foreach (var line in lines.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return line;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await both.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task Pump()
        {
            try
            {
                await Task.WhenAll(Read(_child.Output, false), Read(_child.Error, true)).ConfigureAwait(false);
                lines.Writer.Complete();
            }
            catch (Exception e)
            {
                lines.Writer.Complete(e);
            }
        }

        async Task Read(Stream? stream, bool isError)
        {
            if (stream is null) return;
            using var reader = new StreamReader(stream, leaveOpen: true);
            while (await reader.ReadLineAsync(stop.Token).ConfigureAwait(false) is { } line)
                await lines.Writer.WriteAsync(new ProcessOutputLine(line, isError), stop.Token).ConfigureAwait(false);
        }
    }
}
