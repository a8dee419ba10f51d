using Isolation.Images.Interop;
using Isolation.Interop;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Images.Storage;

/// <summary>A lock on a file or folder (flock(2)), held while it is open: the kernel lets go of it with the process, however that ends.</summary>
internal sealed class FileLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private FileLock(int file) => _file = new SafeFileHandle(file, ownsHandle: true);

    internal int Descriptor => (int)_file.DangerousGetHandle();

    /// <summary>Null when another holds a lock that excludes this one; a file is made when there is none.</summary>
    internal static FileLock? TryTake(string path, bool isExclusive)
    {
        var file = Files.Open(Linux.AT_FDCWD, Files.Name(path), Linux.O_RDWR | Linux.O_CREAT | Linux.O_NOFOLLOW, 0x180);
        if (file < 0) throw ImageException.FromCall($"lock the store ('{path}')", "openat", file);
        return Lock(file, isExclusive);
    }

    /// <summary>The same for a folder; null also when it is not there, or is another by now.</summary>
    internal static FileLock? TryTakeFolder(string path, bool isExclusive)
    {
        var name = Files.Name(path);
        var folder = Files.OpenFolder(Linux.AT_FDCWD, name);
        if (folder == -(int)Errno.ENOENT) return null;
        if (folder < 0) throw ImageException.FromCall($"lock '{path}'", "openat", folder);
        var taken = Lock(folder, isExclusive);
        if (taken is null) return null;
        // Between opening and locking, its last holder may have renamed or removed it.
        if (Files.Stat(folder, out var opened) == 0 && Files.Stat(Linux.AT_FDCWD, name, out var there) == 0 && opened.stx_ino == there.stx_ino) return taken;
        taken.Dispose();
        return null;
    }

    /// <summary>Waits for a lock.</summary>
    internal static FileLock Take(string path, bool isExclusive, CancellationToken cancellationToken)
    {
        for (var wait = 1; ; wait = Math.Min(wait * 2, 50))
        {
            if (TryTake(path, isExclusive) is { } taken) return taken;
            Wait(wait, cancellationToken);
        }
    }

    /// <summary>A while before another try: the kernel can wait for a lock as well, but not give up when that is wanted.</summary>
    internal static void Wait(int milliseconds, CancellationToken cancellationToken)
    {
        cancellationToken.WaitHandle.WaitOne(milliseconds);
        cancellationToken.ThrowIfCancellationRequested();
    }

    public void Dispose()
    {
        // A close alone would leave it to a child of this process that some other thread has just forked, until that execs: the lock
        // belongs to what both descriptors stand for (flock(2)).
        if (!_file.IsClosed) _ = Files.Lock(Descriptor, Linux.LOCK_UN);
        _file.Dispose();
    }

    private static FileLock? Lock(int file, bool isExclusive)
    {
        var result = Files.Lock(file, (isExclusive ? Linux.LOCK_EX : Linux.LOCK_SH) | Linux.LOCK_NB);
        if (result == 0) return new FileLock(file);
        _ = Kernel.close(file);
        return result == -(int)Errno.EAGAIN ? null : throw ImageException.FromCall("lock a file of the store", "flock", result);
    }
}
