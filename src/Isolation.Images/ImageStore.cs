using System.Diagnostics.CodeAnalysis;
using System.Text;
using Isolation.Images.Archives;
using Isolation.Images.Storage;
using Isolation.Images.Unpacking;

namespace Isolation.Images;

/// <summary>
/// Images on this machine, unpacked and ready to run. Layers are stored once, under the digest of their content, however many
/// images have them. Any number of processes may use a store at once; one that is killed leaves nothing visible behind that
/// is not complete, and what it leaves unseen the next user removes.
/// </summary>
/// <remarks>
/// <para>
/// An archive is taken to be hostile: its digests are compared, what it may take is limited, and no name or link in it leads
/// out of its own layer's folder. Root unpacks owners, devices and all attributes as they are. An ordinary user owns every
/// file; devices, and attributes that only root may set, are left out.
/// </para>
/// <para>
/// A store keeps the layers of the images that it has handed out from being deleted by others until it is disposed: dispose
/// it after the last sandbox that runs from it. All members may be called from several threads at once.
/// </para>
/// </remarks>
public sealed class ImageStore : IDisposable
{
    private readonly Dictionary<Digest, FileLock> _used = [];
    private readonly StoreFolders _folders;
    private readonly LayerStore _layers;
    private bool _isDisposed;

    private ImageStore(StoreFolders folders)
    {
        _folders = folders;
        _layers = new LayerStore(folders);
    }

    /// <summary>Where the store is.</summary>
    public string Folder => _folders.Root;

    /// <summary>Opens a store, which is made when there is none, and removes what processes that are gone have left half-done.</summary>
    /// <param name="folder">
    /// Its folder, which nobody else may write to. Default: <c>/var/lib/isolation/images</c> for root, else
    /// <c>isolation/images</c> in <c>$XDG_DATA_HOME</c>, which is <c>~/.local/share</c>. For layers that hide files of others
    /// the file system must have user attributes (ext4, xfs, btrfs, tmpfs since Linux 6.6), and to mount them, not be
    /// an overlay or a network file system itself.
    /// </param>
    /// <exception cref="ImageException">The folder belongs to another user, or others may write to it.</exception>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be made.</exception>
    public static ImageStore Open(string? folder = null)
    {
        if (folder is not null) ArgumentException.ThrowIfNullOrEmpty(folder);
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder ?? StoreFolders.DefaultRoot()));
        try
        {
            var folders = new StoreFolders(path);
            var store = new ImageStore(folders);
            store._layers.RemoveLeftovers();
            return store;
        }
        catch (ImageException e) when (e.InArchive(path))
        {
            throw;
        }
    }

    /// <summary>
    /// Reads an image from what <c>docker save</c> wrote, old form or new, or from an OCI image layout, as a folder, a tar
    /// archive, or one compressed with gzip or zstd. Layers that are in the store already are not read again.
    /// </summary>
    /// <param name="path">The archive or folder.</param>
    /// <param name="options">Names, which image of several, and limits.</param>
    /// <param name="progress">Told now and then, at least at the end, from a thread of the thread pool.</param>
    /// <param name="cancellationToken">Gives up; layers that are complete by then stay until the next collection.</param>
    /// <exception cref="ImageException">The archive is damaged, hostile, too large, or for another machine.</exception>
    /// <exception cref="IOException">The archive cannot be read.</exception>
    public Task<Image> ImportAsync(
        string path, ImageImportOptions? options = null, IProgress<ImageProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new ImageImportOptions();
        options.Validate();
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return Task.Run(async () =>
        {
            try
            {
                return await ImportAsync(path, options, new ImportProgress(progress), cancellationToken).ConfigureAwait(false);
            }
            catch (ImageException e) when (e.InArchive(path))
            {
                throw;
            }
        }, cancellationToken);
    }

    /// <summary>All images, those without a name too.</summary>
    public IReadOnlyList<Image> List()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        using var shared = FileLock.Take(_folders.LockFile, isExclusive: false, CancellationToken.None);
        var names = ReadReferences().ToLookup(static r => r.Digest, static r => r.Name);
        return [.. ReadDigests().Select(digest => Load(digest, names[digest])).OfType<Image>().OrderBy(static i => i.References.FirstOrDefault(), StringComparer.Ordinal)];
    }

    /// <summary>Finds an image.</summary>
    /// <param name="reference">
    /// A name such as <c>busybox</c> or <c>ghcr.io/owner/app:1.2</c>, where <c>docker.io/library/</c> and <c>:latest</c> need
    /// not be said, or a digest: <c>sha256:</c> and 64 digits, with or without the former.
    /// </param>
    /// <param name="image">The image, or null.</param>
    public bool TryGet(string reference, [NotNullWhen(true)] out Image? image)
    {
        ArgumentException.ThrowIfNullOrEmpty(reference);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        using var shared = FileLock.Take(_folders.LockFile, isExclusive: false, CancellationToken.None);
        image = Find(reference) is { } digest ? Load(digest, NamesOf(digest)) : null;
        if (image is null) return false;
        Use(image);
        return true;
    }

    /// <summary>
    /// Takes a name away, and with its last name the image; by its digest, the image with all its names. Layers that no other
    /// image has are deleted, except while a store has them in use: then by a later removal or collection.
    /// </summary>
    /// <returns>False when there is no such image.</returns>
    /// <inheritdoc cref="TryGet" path="/param[@name='reference']"/>
    /// <param name="reference">See <see cref="TryGet"/>.</param>
    /// <param name="cancellationToken">Gives up waiting for imports that are under way.</param>
    public Task<bool> RemoveAsync(string reference, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(reference);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return Task.Run(() =>
        {
            List<string> discarded;
            using (FileLock.Take(_folders.LockFile, isExclusive: true, cancellationToken))
            {
                if (Find(reference) is not { } digest) return false;
                var name = IsDigest(reference, out _) ? null : ReferenceName.TryNormalize(reference);
                var all = NamesOf(digest);
                foreach (var taken in all.Where(n => name is null || n == name)) File.Delete(_folders.Reference(taken));
                if (name is null || all.Count == 1) File.Delete(_folders.Image(digest));
                discarded = DiscardLayers();
            }

            discarded.ForEach(TreeRemover.Remove);
            return true;
        }, cancellationToken);
    }

    /// <summary>Deletes layers that no image has and no store has in use.</summary>
    /// <param name="removeUnnamed">Also removes the images that have no name, such as those whose name went to a newer one. Default: false.</param>
    /// <param name="cancellationToken">Gives up waiting for imports that are under way.</param>
    /// <returns>How many layers were deleted.</returns>
    public Task<int> CollectGarbageAsync(bool removeUnnamed = false, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return Task.Run(() =>
        {
            List<string> discarded;
            using (FileLock.Take(_folders.LockFile, isExclusive: true, cancellationToken))
            {
                if (removeUnnamed)
                {
                    var named = ReadReferences().Select(static r => r.Digest).ToHashSet();
                    foreach (var digest in ReadDigests().Where(d => !named.Contains(d))) File.Delete(_folders.Image(digest));
                }

                foreach (var folder in (ReadOnlySpan<string>)[_folders.Images, _folders.References])
                    foreach (var unfinished in Directory.GetFiles(folder, "*.new")) File.Delete(unfinished);
                discarded = DiscardLayers();
            }

            discarded.ForEach(TreeRemover.Remove);
            return discarded.Count;
        }, cancellationToken);
    }

    /// <summary>Lets others delete what this store has handed out.</summary>
    public void Dispose()
    {
        lock (_used)
        {
            _isDisposed = true;
            foreach (var used in _used.Values) used.Dispose();
            _used.Clear();
        }
    }

    /// <summary>Keeps an image's layers from being deleted until this store is disposed.</summary>
    /// <exception cref="ImageException">They are deleted already.</exception>
    internal void KeepInUse(Image image)
    {
        using var shared = FileLock.Take(_folders.LockFile, isExclusive: false, CancellationToken.None);
        Use(image);
    }

    internal string LayerFolder(Digest diffId) => _folders.LayerFiles(diffId);

    private async Task<Image> ImportAsync(string path, ImageImportOptions options, ImportProgress progress, CancellationToken cancellationToken)
    {
        using var shared = FileLock.Take(_folders.LockFile, isExclusive: false, cancellationToken);
        using var archive = ArchiveOpener.Open(path, _folders.Staging, new UnpackBudget(options.MaxSize, options.MaxEntries), cancellationToken);
        var found = ImageFinder.Find(archive, path, options);

        var budget = new UnpackBudget(options.MaxSize, options.MaxEntries);
        var wanted = found.Layers.DistinctBy(static layer => layer.DiffId).ToList();
        var missing = wanted.Where(layer => !_layers.Contains(layer.DiffId)).ToList();
        progress.Begin(missing.Sum(static layer => layer.Size), wanted.Count, wanted.Count - missing.Count, budget);
        // Each takes two threads: one decompresses, one makes files.
        var parallel = new ParallelOptions
        {
            MaxDegreeOfParallelism = Math.Clamp(Environment.ProcessorCount / 2, 1, 4),
            CancellationToken = cancellationToken,
        };
        await Parallel.ForEachAsync(missing, parallel, (layer, stop) =>
        {
            _layers.Add(archive, layer, budget, options.FlushToDisk, progress.Read, stop);
            progress.LayerDone();
            return ValueTask.CompletedTask;
        }).ConfigureAwait(false);

        StoreFolders.WriteFile(_folders.Image(found.Digest), found.Config, options.FlushToDisk);
        IEnumerable<string> names = options.Reference is { } reference ? [ReferenceName.TryNormalize(reference)!] : found.Names;
        foreach (var name in names)
            StoreFolders.WriteFile(_folders.Reference(name), Encoding.UTF8.GetBytes($"{name}\n{found.Digest}\n"), options.FlushToDisk);
        var image = Load(found.Digest, NamesOf(found.Digest))!;
        Use(image);
        progress.End();
        return image;
    }

    private void Use(Image image)
    {
        lock (_used)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            foreach (var diffId in image.DiffIds)
            {
                if (_used.ContainsKey(diffId)) continue;
                _used.Add(diffId, _layers.TryUse(diffId) ?? throw Gone(image, diffId));
            }
        }
    }

    private ImageException Gone(Image image, Digest diffId)
    {
        var exception = new ImageException($"lacks the layer {diffId}", "It was removed; import it again");
        _ = exception.InArchive(image.Digest);
        return exception;
    }

    private List<string> DiscardLayers()
    {
        var needed = ReadDigests().Select(digest => Load(digest, [])).OfType<Image>().SelectMany(static i => i.DiffIds).Select(static d => d.Hex).ToHashSet();
        return _layers.Discard(needed);
    }

    private Image? Load(Digest digest, IEnumerable<string> names)
    {
        byte[] content;
        try
        {
            content = File.ReadAllBytes(_folders.Image(digest));
        }
        catch (FileNotFoundException)
        {
            return null;
        }

        try
        {
            if (Digest.Of(content) != digest) throw new ImageException("is damaged in the store", "Remove it, and import it again");
            var (document, ids) = ImageFinder.ParseConfig(content, layers: -1);
            return new Image(this, digest, ids, [.. names.Order(StringComparer.Ordinal)], new ImageConfig(document));
        }
        catch (ImageException e) when (e.InArchive(digest.ToString()))
        {
            throw;
        }
    }

    private static bool IsDigest(string reference, out Digest digest)
    {
        if (Digest.TryParse(reference, out digest)) return true;
        digest = new(reference);
        return Digest.IsHex(reference);
    }

    /// <summary>What a name or digest stands for, whether or not there is such an image.</summary>
    private Digest? Find(string reference)
    {
        if (IsDigest(reference, out var digest)) return File.Exists(_folders.Image(digest)) ? digest : null;
        return ReferenceName.TryNormalize(reference) is { } name ? ReadReference(_folders.Reference(name))?.Digest : null;
    }

    private List<string> NamesOf(Digest digest) => [.. ReadReferences().Where(r => r.Digest == digest).Select(static r => r.Name)];

    private IEnumerable<Digest> ReadDigests() =>
        Directory.EnumerateFiles(_folders.Images).Select(static path => Path.GetFileName(path)).Where(static name => Digest.IsHex(name)).Select(static hex => new Digest(hex));

    private IEnumerable<(string Name, Digest Digest)> ReadReferences() =>
        Directory.EnumerateFiles(_folders.References).Where(static path => Digest.IsHex(Path.GetFileName(path))).Select(ReadReference).OfType<(string, Digest)>();

    private static (string Name, Digest Digest)? ReadReference(string path)
    {
        try
        {
            return File.ReadAllLines(path) is [var name, var digest, ..] && Digest.TryParse(digest, out var parsed) ? (name, parsed) : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
