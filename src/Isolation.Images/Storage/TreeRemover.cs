using System.Runtime.InteropServices;
using Isolation.Images.Interop;
using Isolation.Interop;

namespace Isolation.Images.Storage;

/// <summary>
/// Removes a folder with all that is in it: by descriptor, without following links, whatever the names' bytes and the
/// folders' modes are, none of which Directory.Delete can. Others may be removing the same.
/// </summary>
internal static class TreeRemover
{
    private const int EntryName = 19; // struct linux_dirent64: d_ino, d_off, d_reclen at 16, d_type at 18, d_name
    private const byte IsFolder = 4; // DT_DIR

    internal static void Remove(string path)
    {
        var name = Files.Name(path);
        var folder = Open(Linux.AT_FDCWD, name);
        if (folder == -(int)Errno.ENOENT) return;
        if (folder == -(int)Errno.ENOTDIR) CheckUnlessGone(Files.Unlink(Linux.AT_FDCWD, name), path);
        else Check(folder, path);
        if (folder < 0) return;
        try
        {
            Empty(folder, path);
        }
        finally
        {
            _ = Kernel.close(folder);
        }

        CheckUnlessGone(Files.Unlink(Linux.AT_FDCWD, name, isFolder: true), path);
    }

    /// <summary>Removes what is in a folder. Trees in a store are not so deep that calling itself could be too much.</summary>
    internal static void Empty(int folder, string path)
    {
        var buffer = new byte[32 << 10];
        for (var removed = 1; removed > 0;)
        {
            // What is removed meanwhile may make a listing skip others: list until there is nothing.
            removed = 0;
            _ = Kernel.Call(Sys.lseek, folder, 0, 0);
            while (Files.List(folder, buffer) is var length and not (0 or -(int)Errno.ENOENT))
            {
                Check(length, path);
                for (var at = 0; at < length; at += MemoryMarshal.Read<ushort>(buffer.AsSpan(at + 16)))
                {
                    var name = buffer.AsSpan(at + EntryName);
                    name = name[..(name.IndexOf((byte)0) + 1)];
                    if (name.SequenceEqual(".\0"u8) || name.SequenceEqual("..\0"u8)) continue;
                    Remove(folder, name, buffer[at + 18] == IsFolder, path);
                    removed++;
                }
            }
        }
    }

    private static void Remove(int parent, ReadOnlySpan<byte> name, bool isFolder, string path)
    {
        var result = isFolder ? -(int)Errno.EISDIR : Files.Unlink(parent, name);
        if (result is -(int)Errno.EISDIR or -(int)Errno.EPERM)
        {
            var folder = Open(parent, name);
            if (folder == -(int)Errno.ENOENT) return;
            Check(folder, path);
            try
            {
                Empty(folder, path);
            }
            finally
            {
                _ = Kernel.close(folder);
            }

            result = Files.Unlink(parent, name, isFolder: true);
        }

        CheckUnlessGone(result, path);
    }

    /// <summary>Opens a folder so that it can be emptied; nobody else is at work in it.</summary>
    private static int Open(int parent, ReadOnlySpan<byte> name)
    {
        var folder = Files.OpenFolder(parent, name);
        if (folder == -(int)Errno.EACCES && Files.Stat(parent, name, out var closed) == 0 && closed.IsFolder())
        {
            _ = Files.ChangeMode(parent, name, 0x1c0);
            folder = Files.OpenFolder(parent, name);
        }
        else if (folder >= 0 && Files.Stat(folder, out var found) == 0 && (found.stx_mode & 0x1c0) != 0x1c0)
        {
            _ = Files.ChangeMode(folder, 0x1c0);
        }

        return folder;
    }

    private static void CheckUnlessGone(int result, string path)
    {
        if (result != -(int)Errno.ENOENT) Check(result, path);
    }

    private static void Check(int result, string path)
    {
        if (result < 0) throw ImageException.FromCall($"remove '{path}'", "unlinkat", result);
    }
}
