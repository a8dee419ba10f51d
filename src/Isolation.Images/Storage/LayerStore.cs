using Isolation.Images.Archives;
using Isolation.Images.Interop;
using Isolation.Images.Unpacking;
using Isolation.Interop;

namespace Isolation.Images.Storage;

/// <summary>Puts layers into a store, each once, whoever else is at it, and removes those that nobody needs.</summary>
internal sealed class LayerStore(StoreFolders folders)
{
    internal bool Contains(Digest diffId) => Directory.Exists(folders.Layer(diffId));

    /// <summary>Keeps a layer from being removed while the lock is held. The caller holds the store's lock; null when there is no such layer.</summary>
    internal FileLock? TryUse(Digest diffId) => FileLock.TryTakeFolder(folders.Layer(diffId), isExclusive: false);

    /// <summary>
    /// Unpacks a layer, or waits for who is unpacking it already. The caller holds the store's lock, so that nothing is
    /// removed meanwhile.
    /// </summary>
    internal void Add(ImageArchive archive, LayerSource layer, UnpackBudget budget, bool flush, Action<int>? onRead, CancellationToken cancellationToken)
    {
        var staging = $"{folders.Staging}/{layer.DiffId.Hex}";
        for (var wait = 1; !Contains(layer.DiffId); wait = Math.Min(wait * 2, 50))
        {
            var made = Files.MakeFolder(Linux.AT_FDCWD, Files.Name(staging), 0x1c0);
            if (made < 0 && made != -(int)Errno.EEXIST) throw ImageException.FromCall("make a folder in the store", "mkdirat", made);
            using var mine = FileLock.TryTakeFolder(staging, isExclusive: true);
            if (mine is null)
            {
                FileLock.Wait(wait, cancellationToken);
                continue;
            }

            // It may have come into its place since it was looked for there.
            if (Contains(layer.DiffId)) TreeRemover.Remove(staging);
            else Unpack(archive, layer, staging, mine, budget, flush, onRead, cancellationToken);
        }
    }

    /// <summary>Removes layers that are neither needed by an image nor in use. The caller holds the store's lock exclusively.</summary>
    /// <returns>Where they are now, no longer part of the store and to be deleted.</returns>
    internal List<string> Discard(IReadOnlySet<string> needed)
    {
        var discarded = new List<string>();
        foreach (var path in Directory.GetDirectories(folders.Layers))
        {
            if (needed.Contains(Path.GetFileName(path))) continue;
            using var mine = FileLock.TryTakeFolder(path, isExclusive: true);
            if (mine is null) continue; // a sandbox may be running from it
            var away = $"{folders.Staging}/{Guid.NewGuid():N}";
            Directory.Move(path, away);
            discarded.Add(away);
        }

        return discarded;
    }

    /// <summary>Removes what was left half-way by a process that is gone: what nobody holds a lock on.</summary>
    internal void RemoveLeftovers()
    {
        foreach (var path in Directory.GetFileSystemEntries(folders.Staging))
        {
            if (!Directory.Exists(path)) continue; // a file without folder has no name for longer than an instant
            using var mine = FileLock.TryTakeFolder(path, isExclusive: true);
            if (mine is not null) TreeRemover.Remove(path);
        }
    }

    private void Unpack(
        ImageArchive archive, LayerSource layer, string staging, FileLock mine, UnpackBudget budget, bool flush, Action<int>? onRead,
        CancellationToken cancellationToken)
    {
        try
        {
            TreeRemover.Empty(mine.Descriptor, staging);
            UnpackInto(mine.Descriptor, archive, layer, budget, onRead, cancellationToken);
            var result = flush ? Files.FlushFileSystem(mine.Descriptor) : 0;
            if (result < 0) throw ImageException.FromCall("write the layer to the disk", "syncfs", result);
            Directory.Move(staging, folders.Layer(layer.DiffId));
        }
        catch
        {
            TreeRemover.Remove(staging);
            throw;
        }

        if (flush) StoreFolders.FlushFolder(folders.Layers);
    }

    /// <summary>Unpacks a layer into the folder "fs" of another. The mode of the one it is moved with must allow that.</summary>
    private static void UnpackInto(
        int folder, ImageArchive archive, LayerSource layer, UnpackBudget budget, Action<int>? onRead, CancellationToken cancellationToken)
    {
        var made = Files.MakeFolder(folder, "fs\0"u8, 0x1c0);
        var root = made < 0 ? made : Files.OpenFolder(folder, "fs\0"u8);
        if (root < 0) throw ImageException.FromCall("make a folder in the store", "mkdirat", root);
        try
        {
            using var input = new LayerInput(archive, layer, budget, onRead);
            using var pipe = new LayerPipe(input, cancellationToken);
            using var unpacker = new LayerUnpacker(pipe, root, budget, UnpackRights.OfThisProcess());
            unpacker.Unpack(cancellationToken);
            pipe.Drain();
        }
        catch (ImageException e) when (e.InBlob(layer.ToString()))
        {
        }
        finally
        {
            _ = Kernel.close(root);
        }
    }
}
