using System.IO.Compression;
using Isolation.Images.Interop;
using Isolation.Images.Tar;
using Isolation.Images.Unpacking;
using Isolation.Interop;
using Microsoft.Win32.SafeHandles;
using ZstdSharp;

namespace Isolation.Images.Archives;

/// <summary>Finds out what a path is: a folder, a tar archive, or a compressed one.</summary>
internal static class ArchiveOpener
{
    /// <param name="path">A folder or file.</param>
    /// <param name="scratch">A folder where a compressed archive can be decompressed to a file without a name.</param>
    /// <param name="budget">What that may take.</param>
    /// <param name="cancellationToken">Cancels the decompression.</param>
    internal static ImageArchive Open(string path, string scratch, UnpackBudget budget, CancellationToken cancellationToken)
    {
        if (Directory.Exists(path)) return new FolderArchive(path);
        var file = File.OpenHandle(path);
        try
        {
            Span<byte> start = stackalloc byte[TarHeader.Size];
            var slice = new FileSlice(file, 0, RandomAccess.GetLength(file), ownsFile: false);
            start = start[..slice.Peek(start)];
            var compression = Compressions.Detect(start);
            if (compression is Compression.Gzip or Compression.Zstd)
            {
                var plain = Decompress(slice, compression, scratch, budget, cancellationToken);
                file.Dispose();
                file = plain;
                start = start[..Math.Max(0, new FileSlice(file, 0, RandomAccess.GetLength(file), ownsFile: false).Peek(start))];
            }
            else if (compression != Compression.None)
            {
                throw new ImageException($"is compressed with {compression}, which is not supported", "gzip and zstd are, and none at all");
            }

            if (start.Length < TarHeader.Size || !new TarHeader(start).HasRightSum) throw new ImageException("is no tar archive", WhatIsAnImage);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        return new TarArchive(file, cancellationToken);
    }

    internal const string WhatIsAnImage = "An image is what 'docker save' writes, or an OCI layout, as a tar archive or a folder";

    private static SafeFileHandle Decompress(
        FileSlice slice, Compression compression, string scratch, UnpackBudget budget, CancellationToken cancellationToken)
    {
        var file = OpenUnnamed(scratch);
        try
        {
            using Stream plain = compression == Compression.Gzip
                ? new GZipStream(slice, CompressionMode.Decompress)
                : new DecompressionStream(slice, leaveOpen: false);
            var buffer = new byte[128 << 10];
            while (plain.Read(buffer) is > 0 and var count)
            {
                cancellationToken.ThrowIfCancellationRequested();
                budget.TakeBytes(count);
                var result = Files.WriteAll((int)file.DangerousGetHandle(), buffer.AsSpan(0, count));
                if (result < 0) throw ImageException.FromCall("decompress it", "write", result);
            }

            return file;
        }
        catch (Exception e)
        {
            file.Dispose();
            if (e is InvalidDataException or ZstdException or EndOfStreamException)
                throw new ImageException("cannot be decompressed", "It is damaged or truncated; get it again", e);
            throw;
        }
    }

    /// <summary>A file that is gone when it is closed, whatever happens.</summary>
    private static SafeFileHandle OpenUnnamed(string folder)
    {
        var file = Files.Open(Linux.AT_FDCWD, Files.Name(folder), Linux.O_TMPFILE | Linux.O_RDWR, 0x180);
        if (file < 0)
        {
            // Not every file system has such files. With a name then, for an instant; the next user removes what is left of it.
            var name = Files.Name(Path.Combine(folder, Guid.NewGuid().ToString("N")));
            file = Files.Open(Linux.AT_FDCWD, name, Linux.O_RDWR | Linux.O_CREAT | Linux.O_EXCL, 0x180);
            if (file < 0) throw ImageException.FromCall("make a temporary file", "openat", file);
            _ = Files.Unlink(Linux.AT_FDCWD, name);
        }

        return new SafeFileHandle(file, ownsHandle: true);
    }
}
