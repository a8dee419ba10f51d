using Isolation.Images.Documents;

namespace Isolation.Images.Archives;

/// <summary>Finds the image that is wanted in an archive, in either of the two forms.</summary>
internal static class ImageFinder
{
    internal static FoundImage Find(ImageArchive archive, string path, ImageImportOptions options)
    {
        // Newer versions of docker write both forms into one archive; the OCI one has more digests to compare with.
        if (archive.Contains("oci-layout") && archive.Contains("index.json")) return new OciLayout(archive, path, options).Find();
        if (archive.Contains("manifest.json")) return new DockerArchive(archive, options).Find();
        throw new ImageException("is no image: it has neither an index.json with an oci-layout nor a manifest.json", ArchiveOpener.WhatIsAnImage);
    }

    /// <summary>A configuration that has been parsed, and of which its layers have been found sound.</summary>
    internal static (ConfigDocument Document, Digest[] DiffIds) ParseConfig(ReadOnlySpan<byte> content, int layers)
    {
        var document = ImageArchive.Parse(content, DocumentContext.Default.ConfigDocument);
        if (document.Root?.DiffIds is not { } ids) throw new ImageException("has no list of layers", "It is no image's configuration");
        if (layers >= 0 && ids.Length != layers) throw new ImageException($"names {ids.Length} layers where the manifest has {layers}");
        if (ids.Length > Root.MaxLayers) throw new ImageException($"has {ids.Length} layers; {Root.MaxLayers} are possible");
        return (document, [.. ids.Select(Digest.Parse)]);
    }

    /// <summary>The one image of several that is meant.</summary>
    internal static T Single<T>(IReadOnlyList<T> found, ImageImportOptions options, Func<T, string> name)
    {
        if (found.Count == 1) return found[0];
        if (found.Count == 0)
        {
            throw options.Select is null
                ? new ImageException("has no image in it")
                : new ImageException($"has no image '{ImageException.Printable(options.Select)}' in it");
        }

        throw new ImageException($"has {found.Count} images in it: {string.Join(", ", found.Take(10).Select(name))}",
            $"Say which one is meant with {nameof(ImageImportOptions)}.{nameof(ImageImportOptions.Select)}");
    }
}
