using Isolation.Interop;

namespace Isolation.Supervision;

/// <summary>The host's end of the program's standard input, of which disposing it is the end; or what is typed at its terminal.</summary>
internal sealed class PipeWriteStream(int fd) : PipeStreamBase(fd, Linux.EPOLLOUT)
{
    public override bool CanWrite => !IsClosed;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var written = TryWrite(buffer);
            if (written < 0) Wait(Linux.POLLOUT);
            else buffer = buffer[written..];
        }
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Write(buffer.AsSpan(offset, count));
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (buffer.Length > 0)
        {
            var written = TryWrite(buffer.Span);
            if (written < 0) await WaitAsync(cancellationToken).ConfigureAwait(false);
            else buffer = buffer[written..];
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    private int TryWrite(ReadOnlySpan<byte> buffer)
    {
        using var use = Use();
        while (true)
        {
            var result = Kernel.write(use.Descriptor, buffer);
            if (result >= 0) return (int)result;
            if (result == -(int)Errno.EAGAIN) return -1;
            // SIGPIPE is ignored by .NET, so a closed pipe shows here.
            if (result == -(int)Errno.EPIPE) throw new IOException("The program has closed its standard input, or has ended.", (int)-result);
            if (result == -(int)Errno.EIO) throw new IOException("The program has closed its terminal, or has ended.", (int)-result);
            if (result != -(int)Errno.EINTR) throw Failed("write", (int)-result);
        }
    }
}
