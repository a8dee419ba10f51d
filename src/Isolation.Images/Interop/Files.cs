using System.Diagnostics;
using System.Text;
using Isolation.Interop;

namespace Isolation.Images.Interop;

/// <summary>
/// Files by descriptor of their folder and one name: fronts of the syscalls, which return what the kernel returns (a value,
/// or -errno). Names end with a zero byte.
/// </summary>
internal static unsafe class Files
{
    private const nint UtimeOmit = (1 << 30) - 2; // sys/stat.h

    internal static int Open(int folder, ReadOnlySpan<byte> name, int flags, uint mode = 0)
    {
        fixed (byte* p = Terminated(name)) return (int)Kernel.Call(Sys.openat, folder, (nint)p, flags | Linux.O_CLOEXEC, (nint)mode);
    }

    /// <summary>Opens a folder itself, never what a link of that name points to.</summary>
    internal static int OpenFolder(int parent, ReadOnlySpan<byte> name) =>
        Open(parent, name, Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_NOFOLLOW);

    internal static int MakeFolder(int parent, ReadOnlySpan<byte> name, uint mode)
    {
        fixed (byte* p = Terminated(name)) return (int)Kernel.Call(Sys.mkdirat, parent, (nint)p, (nint)mode);
    }

    internal static int MakeNode(int parent, ReadOnlySpan<byte> name, uint mode, uint device)
    {
        fixed (byte* p = Terminated(name)) return (int)Kernel.Call(Sys.mknodat, parent, (nint)p, (nint)mode, (nint)device);
    }

    internal static int MakeSymbolicLink(ReadOnlySpan<byte> target, int parent, ReadOnlySpan<byte> name)
    {
        fixed (byte* t = Terminated(target), p = Terminated(name)) return (int)Kernel.Call(Sys.symlinkat, (nint)t, parent, (nint)p);
    }

    internal static int ReadLink(int parent, ReadOnlySpan<byte> name, Span<byte> target)
    {
        fixed (byte* p = Terminated(name), t = target) return (int)Kernel.Call(Sys.readlinkat, parent, (nint)p, (nint)t, target.Length);
    }

    /// <summary>Another name for a file; for a symbolic link itself when it is one.</summary>
    internal static int Link(int targetParent, ReadOnlySpan<byte> target, int parent, ReadOnlySpan<byte> name)
    {
        fixed (byte* t = Terminated(target), p = Terminated(name)) return (int)Kernel.Call(Sys.linkat, targetParent, (nint)t, parent, (nint)p, 0);
    }

    internal static int Unlink(int parent, ReadOnlySpan<byte> name, bool isFolder = false)
    {
        fixed (byte* p = Terminated(name)) return (int)Kernel.Call(Sys.unlinkat, parent, (nint)p, isFolder ? Linux.AT_REMOVEDIR : 0);
    }

    internal static int Rename(int parent, ReadOnlySpan<byte> name, int newParent, ReadOnlySpan<byte> newName)
    {
        fixed (byte* o = Terminated(name), n = Terminated(newName))
            return (int)Kernel.Call(Sys.renameat2, parent, (nint)o, newParent, (nint)n, 0);
    }

    internal static int ChangeMode(int file, uint mode) => (int)Kernel.Call(Sys.fchmod, file, (nint)mode);

    /// <summary>Follows a link of that name: for names that are known not to be one.</summary>
    internal static int ChangeMode(int parent, ReadOnlySpan<byte> name, uint mode)
    {
        fixed (byte* p = Terminated(name)) return (int)Kernel.Call(Sys.fchmodat, parent, (nint)p, (nint)mode);
    }

    internal static int ChangeOwner(int file, uint user, uint group) => (int)Kernel.Call(Sys.fchown, file, (nint)user, (nint)group);

    internal static int ChangeOwner(int parent, ReadOnlySpan<byte> name, uint user, uint group)
    {
        fixed (byte* p = Terminated(name))
            return (int)Kernel.Call(Sys.fchownat, parent, (nint)p, (nint)user, (nint)group, Linux.AT_SYMLINK_NOFOLLOW);
    }

    /// <summary>Sets the time of modification and leaves that of access.</summary>
    internal static int SetTime(int file, long seconds, uint nanoseconds)
    {
        var times = Times(seconds, nanoseconds);
        return (int)Kernel.Call(Sys.utimensat, file, 0, (nint)(&times), 0);
    }

    /// <inheritdoc cref="SetTime(int, long, uint)"/>
    internal static int SetTime(int parent, ReadOnlySpan<byte> name, long seconds, uint nanoseconds)
    {
        var times = Times(seconds, nanoseconds);
        fixed (byte* p = Terminated(name)) return (int)Kernel.Call(Sys.utimensat, parent, (nint)p, (nint)(&times), Linux.AT_SYMLINK_NOFOLLOW);
    }

    internal static int SetAttribute(int file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        fixed (byte* p = Terminated(name), v = value) return (int)Kernel.Call(Sys.fsetxattr, file, (nint)p, (nint)v, value.Length, 0);
    }

    internal static int GetAttribute(int file, ReadOnlySpan<byte> name, Span<byte> value)
    {
        fixed (byte* p = Terminated(name), v = value) return (int)Kernel.Call(Sys.fgetxattr, file, (nint)p, (nint)v, value.Length);
    }

    /// <summary>What a name stands for, a link as itself.</summary>
    internal static int Stat(int parent, ReadOnlySpan<byte> name, out statx result)
    {
        fixed (byte* p = Terminated(name))
        fixed (statx* s = &result)
        {
            result = default;
            return (int)Kernel.Call(Sys.statx, parent, (nint)p, Linux.AT_SYMLINK_NOFOLLOW, (nint)Linux.STATX_BASIC_STATS, (nint)s);
        }
    }

    internal static int Stat(int file, out statx result)
    {
        fixed (statx* s = &result)
        {
            byte empty = 0;
            result = default;
            return (int)Kernel.Call(Sys.statx, file, (nint)(&empty), Linux.AT_EMPTY_PATH, (nint)Linux.STATX_BASIC_STATS, (nint)s);
        }
    }

    /// <summary>Writes all of it, at the descriptor's position.</summary>
    internal static int WriteAll(int file, ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            var written = Kernel.write(file, data);
            if (written == -(int)Errno.EINTR) continue;
            if (written <= 0) return written == 0 ? -(int)Errno.EIO : (int)written;
            data = data[(int)written..];
        }

        return 0;
    }

    /// <summary>Writes all of it, at a position of the file.</summary>
    internal static int WriteAll(int file, ReadOnlySpan<byte> data, long position)
    {
        fixed (byte* p = data)
        {
            for (var done = 0; done < data.Length;)
            {
                var written = Kernel.Call(Sys.pwrite64, file, (nint)(p + done), data.Length - done, (nint)(position + done));
                if (written == -(int)Errno.EINTR) continue;
                if (written <= 0) return written == 0 ? -(int)Errno.EIO : (int)written;
                done += (int)written;
            }
        }

        return 0;
    }

    internal static int List(int folder, Span<byte> entries)
    {
        fixed (byte* p = entries) return (int)Kernel.Call(Sys.getdents64, folder, (nint)p, entries.Length);
    }

    internal static int Lock(int file, int operation)
    {
        nint result;
        do result = Kernel.Call(Sys.flock, file, operation);
        while (result == -(int)Errno.EINTR);
        return (int)result;
    }

    internal static int Flush(int file) => (int)Kernel.Call(Sys.fsync, file);

    /// <summary>Writes everything of the file system that this file is on to the disk.</summary>
    internal static int FlushFileSystem(int file) => (int)Kernel.Call(Sys.syncfs, file);

    /// <summary>A name as the calls here take it.</summary>
    internal static byte[] Name(string name) => Encoding.UTF8.GetBytes(name + '\0');

    internal static bool IsFolder(this in statx file) => (file.stx_mode & Linux.S_IFMT) == Linux.S_IFDIR;

    internal static bool IsRegular(this in statx file) => (file.stx_mode & Linux.S_IFMT) == Linux.S_IFREG;

    internal static bool IsLink(this in statx file) => (file.stx_mode & Linux.S_IFMT) == Linux.S_IFLNK;

    /// <summary>Character device 0:0, overlayfs's sign that a name is absent though a layer below has it.</summary>
    internal static bool IsWhiteout(this in statx file) =>
        (file.stx_mode & Linux.S_IFMT) == Linux.S_IFCHR && file.stx_rdev_major == 0 && file.stx_rdev_minor == 0;

    private static TimePair Times(long seconds, uint nanoseconds) => new()
    {
        Access = new timespec { tv_nsec = UtimeOmit },
        Modification = new timespec { tv_sec = seconds, tv_nsec = nanoseconds },
    };

    private static ReadOnlySpan<byte> Terminated(ReadOnlySpan<byte> name)
    {
        Debug.Assert(name.Length > 0 && name[^1] == 0);
        return name;
    }

    private struct TimePair
    {
        internal timespec Access, Modification;
    }
}
