using Isolation.Images.Tar;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Images.Archives;

/// <summary>A tar archive in a file, of which only the headers are read.</summary>
internal sealed class FileTarSource(SafeFileHandle file, long length) : TarSource
{
    // Headers are far apart; reading much after each would be for nothing.
    private readonly byte[] _buffer = new byte[4096];
    private long _end;

    internal override void Skip(long count)
    {
        count -= Forget(count);
        if (count == 0) return;
        if (count > length - _end) throw Truncated();
        _end += count;
        Position += count;
    }

    protected override ReadOnlyMemory<byte> Next()
    {
        var read = RandomAccess.Read(file, _buffer, _end);
        _end += read;
        return _buffer.AsMemory(0, read);
    }
}
