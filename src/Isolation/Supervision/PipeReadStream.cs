using System.Runtime.CompilerServices;
using Isolation.Interop;

namespace Isolation.Supervision;

/// <summary>The host's end of the program's standard output or error, or what it writes to its terminal.</summary>
internal sealed class PipeReadStream(int fd) : PipeStreamBase(fd, Linux.EPOLLIN)
{
    // What a pipe holds at first, and what one is made to hold that has been found full this often: then fewer waits move the same.
    private const int Usual = 64 * 1024, Enlarged = 1 << 20, FullReads = 16;

    private int _fullReads;

    public override bool CanRead => !IsClosed;

    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            var result = TryRead(buffer);
            if (result >= 0) return result;
            Wait(Linux.POLLIN);
        }
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (true)
        {
            var result = TryRead(buffer.Span);
            if (result >= 0) return result;
            await WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Bytes read, 0 at the end, -1 when there is nothing yet.</summary>
    internal int TryRead(Span<byte> buffer)
    {
        using var use = Use();
        while (true)
        {
            var result = Kernel.read(use.Descriptor, buffer);
            if (result >= Usual && ++_fullReads == FullReads) _ = Kernel.fcntl(use.Descriptor, Linux.F_SETPIPE_SZ, Enlarged); // a limit of this user's may forbid it
            if (result >= 0) return (int)result;
            if (result == -(int)Errno.EAGAIN) return -1;
            if (result == -(int)Errno.EIO) return 0; // nobody has the terminal's other side open any more
            if (result != -(int)Errno.EINTR) throw Failed("read", (int)-result);
        }
    }
}
