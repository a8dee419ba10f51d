using Isolation.Images.Archives;
using Isolation.Images.Interop;
using Isolation.Interop;

namespace Isolation.Images.Storage;

/// <summary>
/// Where things are in a store:
/// <code>
/// lock               held shared by imports and look-ups, exclusively by who takes something away
/// images/HEX         an image's configuration, under its digest
/// references/HEX     a name of an image and the image's digest, under the name's digest
/// layers/HEX/fs      a layer's files, under the digest of the uncompressed layer; the folder above is locked by its users
/// staging/HEX        a layer on its way there, locked by who unpacks it
/// staging/*          what is being deleted
/// </code>
/// Everything comes to its place by being renamed, complete. What lies in staging without a lock was left by a crash.
/// </summary>
internal sealed class StoreFolders
{
    private const uint Private = 0x1c0; // rwx------

    internal StoreFolders(string root)
    {
        Root = root;
        (Images, References, Layers, Staging, LockFile) = (root + "/images", root + "/references", root + "/layers", root + "/staging", root + "/lock");
        // Nobody else may enter: a layer can hold programs that are set-user-ID root.
        Directory.CreateDirectory(root, (UnixFileMode)Private);
        ThrowIfNotPrivate(root);
        foreach (var folder in (ReadOnlySpan<string>)[Images, References, Layers, Staging]) Directory.CreateDirectory(folder, (UnixFileMode)Private);
    }

    internal string Root { get; }

    internal string Images { get; }

    internal string References { get; }

    internal string Layers { get; }

    internal string Staging { get; }

    internal string LockFile { get; }

    internal string Layer(Digest diffId) => $"{Layers}/{diffId.Hex}";

    internal string LayerFiles(Digest diffId) => $"{Layers}/{diffId.Hex}/fs";

    internal string Image(Digest config) => $"{Images}/{config.Hex}";

    internal string Reference(string name) => $"{References}/{Digest.Of(System.Text.Encoding.UTF8.GetBytes(name)).Hex}";

    /// <summary>Where stores are by default: the system's for root, the user's own otherwise (XDG Base Directory Specification).</summary>
    internal static string DefaultRoot()
    {
        if (Kernel.geteuid() == 0) return "/var/lib/isolation/images";
        var data = Environment.GetEnvironmentVariable("XDG_DATA_HOME");
        if (data is ['/', ..]) return Path.Combine(data, "isolation/images");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (home.Length == 0) throw new ImageException("has no default folder for this user", "Set HOME or XDG_DATA_HOME, or name a folder");
        return Path.Combine(home, ".local/share/isolation/images");
    }

    /// <summary>Puts a small file into its place, complete or not at all. The caller holds the store's lock, shared at least.</summary>
    internal static void WriteFile(string path, ReadOnlySpan<byte> content, bool flush)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.new"; // what a crash leaves of them, the collector removes
        try
        {
            using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                RandomAccess.Write(file, content, 0);
                if (flush) RandomAccess.FlushToDisk(file);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        if (flush) FlushFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Makes sure that the names in a folder are on the disk.</summary>
    internal static void FlushFolder(string path)
    {
        var folder = Files.OpenFolder(Linux.AT_FDCWD, Files.Name(path));
        if (folder < 0) throw ImageException.FromCall("flush the store", "openat", folder);
        var result = Files.Flush(folder);
        _ = Kernel.close(folder);
        if (result < 0) throw ImageException.FromCall("flush the store", "fsync", result);
    }

    private static void ThrowIfNotPrivate(string root)
    {
        var result = Files.Stat(Linux.AT_FDCWD, Files.Name(root + "/."), out var found);
        if (result < 0) throw ImageException.FromCall("look at the store's folder", "statx", result);
        if (found.stx_uid != Kernel.geteuid())
            throw new ImageException($"belongs to user {found.stx_uid}, who could change what is unpacked there", "Each user needs a store of their own");
        if ((found.stx_mode & 0x12) != 0)
            throw new ImageException("can be written by others, who could change what is unpacked there", $"chmod 700 '{root}'");
    }
}
