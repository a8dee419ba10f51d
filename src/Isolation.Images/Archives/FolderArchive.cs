using Isolation.Images.Interop;
using Isolation.Images.Tar;
using Isolation.Interop;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Images.Archives;

/// <summary>An image in a folder. Nothing in it is reached through a link, and only ordinary files are opened.</summary>
internal sealed class FolderArchive : ImageArchive
{
    private readonly SafeFileHandle _folder;

    internal FolderArchive(string path)
    {
        var folder = Files.Open(Linux.AT_FDCWD, Files.Name(path), Linux.O_RDONLY | Linux.O_DIRECTORY);
        if (folder < 0) throw new UnauthorizedAccessException($"Cannot open the folder '{path}': {ErrnoExtensions.Describe(-folder)}.");
        _folder = new SafeFileHandle(folder, ownsHandle: true);
    }

    internal override FileSlice? TryOpen(string name)
    {
        var path = new EntryPath();
        path.Parse(Files.Name(name).AsSpan()[..^1]);
        if (path.Depth == 0) return null;
        using var at = OpenParent(path);
        if (at is null) return null;
        var last = path.Terminated(path.Depth - 1);
        // Not to wait for a named pipe's other end.
        var file = Files.Open((int)at.DangerousGetHandle(), last, Linux.O_RDONLY | Linux.O_NOFOLLOW | Linux.O_NONBLOCK);
        if (file == -(int)Errno.ENOENT) return null;
        if (file < 0) throw Refused(name, file);
        var handle = new SafeFileHandle(file, ownsHandle: true);
        _ = Files.Stat(file, out var found);
        if (found.IsRegular()) return new FileSlice(handle, 0, (long)found.stx_size, ownsFile: true);
        handle.Dispose();
        throw Refused(name, 0);
    }

    public override void Dispose() => _folder.Dispose();

    private SafeFileHandle? OpenParent(EntryPath path)
    {
        var at = new SafeFileHandle(Kernel.fcntl((int)_folder.DangerousGetHandle(), Linux.F_DUPFD_CLOEXEC), ownsHandle: true);
        for (var i = 0; i < path.Depth - 1; i++)
        {
            var next = Files.OpenFolder((int)at.DangerousGetHandle(), path.Terminated(i));
            at.Dispose();
            if (next < 0) return null;
            at = new SafeFileHandle(next, ownsHandle: true);
        }

        return at;
    }

    private static ImageException Refused(string name, int result)
    {
        var exception = result is 0 or -(int)Errno.ELOOP
            ? new ImageException("is no ordinary file", "An image's folder may hold no links")
            : ImageException.FromCall("open it", "openat", result);
        _ = exception.InBlob(ImageException.Printable(name));
        return exception;
    }
}
