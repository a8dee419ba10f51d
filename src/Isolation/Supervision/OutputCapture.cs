using System.Runtime.InteropServices;
using System.Text;
using CommunityToolkit.HighPerformance.Buffers;
using Isolation.Interop;

namespace Isolation.Supervision;

/// <summary>Collects what a program writes to its standard output and error.</summary>
internal static class OutputCapture
{
    private const int Chunk = 16 * 1024;

    /// <summary>No pipe holds more than this many chunks (fs.pipe-max-size): a writer that keeps up with the reader must not keep it for ever.</summary>
    private const int ChunksAtOnce = 64;

    /// <summary>Reads both to their ends on the calling thread; needs no other one. False when the time is up first.</summary>
    internal static bool Read(ChildProcess child, ArrayPoolBufferWriter<byte> output, ArrayPoolBufferWriter<byte> error, TimeSpan? timeout)
    {
        var end = timeout is { } limit ? Environment.TickCount64 + (long)limit.TotalMilliseconds : long.MaxValue;
        Span<pollfd> wait = [Interest(child.Output), Interest(child.Error)];
        while (wait[0].fd >= 0 || wait[1].fd >= 0)
        {
            TimeSpan? left = timeout is null ? null : TimeSpan.FromMilliseconds(Math.Max(0, end - Environment.TickCount64));
            if (Kernel.poll(wait, left) == 0) return false;
            if (wait[0].revents != 0 && Drain(child.Output!, output)) wait[0].fd = -1;
            if (wait[1].revents != 0 && Drain(child.Error!, error)) wait[1].fd = -1;
        }

        return true;
    }

    internal static async Task ReadAsync(PipeReadStream? stream, ArrayPoolBufferWriter<byte> to, CancellationToken cancellationToken)
    {
        if (stream is null) return;
        while (await stream.ReadAsync(to.GetMemory(Chunk), cancellationToken).ConfigureAwait(false) is > 0 and var count) to.Advance(count);
    }

    /// <summary>What is there already, without waiting: for programs that were ended.</summary>
    internal static void ReadRest(PipeReadStream? stream, ArrayPoolBufferWriter<byte> to)
    {
        if (stream is not null) _ = Drain(stream, to);
    }

    internal static string Text(ArrayPoolBufferWriter<byte> from) => Encoding.UTF8.GetString(from.WrittenSpan);

    /// <summary>Reads what is there; true at the end of the stream.</summary>
    private static bool Drain(PipeReadStream stream, ArrayPoolBufferWriter<byte> to)
    {
        for (var i = 0; i < ChunksAtOnce; i++)
        {
            var count = stream.TryRead(to.GetSpan(Chunk));
            if (count <= 0) return count == 0;
            to.Advance(count);
        }

        return false;
    }

    private static pollfd Interest(PipeReadStream? stream) => new() { fd = stream?.Descriptor ?? -1, events = Linux.POLLIN };
}
