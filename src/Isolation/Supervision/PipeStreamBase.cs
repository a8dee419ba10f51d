using Isolation.Interop;

namespace Isolation.Supervision;

/// <summary>What both ends have in common: a non-blocking descriptor that is closed once nobody is using it.</summary>
internal abstract class PipeStreamBase(int fd, uint events) : Stream
{
    private const int ClosedBit = 1 << 30;

    private readonly Readiness _readiness = new(fd, events);
    private int _uses = 1; // one for being open; the last one out closes the descriptor

    ~PipeStreamBase() => Dispose(false);

    public override bool CanRead => false;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    protected bool IsClosed => (Volatile.Read(ref _uses) & ClosedBit) != 0;

    internal int Descriptor => fd;

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        var before = Interlocked.Or(ref _uses, ClosedBit);
        if ((before & ClosedBit) == 0)
        {
            _readiness.Close();
            Release();
        }

        base.Dispose(disposing);
        if (disposing) GC.SuppressFinalize(this);
    }

    /// <summary>ioctl(2). Returns what the kernel returns: a value, or -errno.</summary>
    internal unsafe int Control(uint request, void* argument)
    {
        using var use = Use();
        return (int)Kernel.ioctl(use.Descriptor, request, (nint)argument);
    }

    /// <summary>A descriptor of its own for somebody who outlives this one; -errno.</summary>
    internal int Duplicate()
    {
        using var use = Use();
        return Kernel.fcntl(use.Descriptor, Linux.F_DUPFD_CLOEXEC, 3);
    }

    protected ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        using var use = Use();
        return _readiness.WaitAsync(cancellationToken);
    }

    protected void Wait(short pollEvents)
    {
        using var use = Use();
        Span<pollfd> wait = [new pollfd { fd = fd, events = pollEvents }];
        _ = Kernel.poll(wait, null);
    }

    protected static IOException Failed(string syscall, int errno) => new($"{syscall} failed with {ErrnoExtensions.Describe(errno)}.", errno);

    /// <summary>
    /// Never counts a use of what is closed, not for a moment: giving it back would look like the last one and close the number a
    /// second time, which is somebody else's by then.
    /// </summary>
    protected DescriptorUse Use()
    {
        var uses = Volatile.Read(ref _uses);
        while ((uses & ClosedBit) == 0)
        {
            var found = Interlocked.CompareExchange(ref _uses, uses + 1, uses);
            if (found == uses) return new DescriptorUse(this);
            uses = found;
        }

        throw new ObjectDisposedException(nameof(Stream));
    }

    private void Release()
    {
        if (Interlocked.Decrement(ref _uses) == ClosedBit) _ = Kernel.close(fd);
    }

    protected readonly ref struct DescriptorUse(PipeStreamBase owner)
    {
        internal int Descriptor => owner.Descriptor;

        public void Dispose() => owner.Release();
    }
}
