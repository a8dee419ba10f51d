using Microsoft.Win32.SafeHandles;

namespace Isolation.Images.Archives;

/// <summary>A part of a file, read without a position of the file itself.</summary>
internal sealed class FileSlice(SafeFileHandle file, long start, long length, bool ownsFile) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => _position = value;
    }

    /// <summary>The first bytes, without taking them.</summary>
    internal int Peek(Span<byte> buffer)
    {
        var wanted = buffer[..(int)Math.Min(buffer.Length, length)];
        var count = 0;
        while (count < wanted.Length && RandomAccess.Read(file, wanted[count..], start + count) is > 0 and var read) count += read;
        return count;
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.Length > length - _position) buffer = buffer[..(int)Math.Max(0, length - _position)];
        if (buffer.IsEmpty) return 0;
        var count = RandomAccess.Read(file, buffer, start + _position);
        _position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) =>
        _position = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => _position + offset, _ => length + offset };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && ownsFile) file.Dispose();
        base.Dispose(disposing);
    }
}
