using System.Security.Cryptography;
using Isolation.Images.Archives;

namespace Isolation.Images.Unpacking;

/// <summary>Passes on what is read, takes its digest and counts it.</summary>
internal sealed class HashingStream(Stream inner, bool isHashed, Action<int>? onRead) : Stream
{
    private readonly IncrementalHash? _hash = isHashed ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var count = inner.Read(buffer);
        _hash?.AppendData(buffer[..count]);
        if (count > 0) onRead?.Invoke(count);
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>Reads what a decompressor has left: a digest covers it too.</summary>
    internal void Drain()
    {
        var buffer = new byte[8192];
        while (Read(buffer) > 0)
        {
        }
    }

    internal Digest Hash()
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _hash!.GetHashAndReset(hash);
        return Digest.FromHash(hash);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            _hash?.Dispose();
        }

        base.Dispose(disposing);
    }
}
