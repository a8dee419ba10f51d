using Isolation.Images.Documents;
using Isolation.Images.Storage;

namespace Isolation.Images.Archives;

/// <summary>An OCI image layout (image-spec, image-layout.md): an index, and blobs under their digests.</summary>
internal sealed class OciLayout(ImageArchive archive, string path, ImageImportOptions options)
{
    private const string ReferenceAnnotation = "org.opencontainers.image.ref.name";
    private const string ContainerdAnnotation = "io.containerd.image.name";
    private const int MaxNesting = 3;
    private const int MaxManifests = 1000;

    private readonly List<Candidate> _candidates = [];
    private int _visited;

    internal FoundImage Find()
    {
        OciManifest index;
        try
        {
            index = ImageArchive.Parse(archive.Read("index.json"), DocumentContext.Default.OciManifest);
            foreach (var descriptor in index.Manifests ?? []) Collect(NotNull(descriptor), NotNull(descriptor), 0);
        }
        catch (ImageException e) when (e.InBlob("index.json"))
        {
            throw;
        }

        var wanted = Platform.Name(options.Architecture);
        var selected = Selected();
        var suitable = selected.Where(c => Platform.IsFor(wanted, c.System, c.Architecture)).ToList();
        if (suitable.Count == 0 && selected.Count > 0)
        {
            var offered = string.Join(", ", selected.Select(c => ImageException.Printable($"{c.System}/{c.Architecture}")).Distinct().Take(10));
            throw new ImageException($"is for {offered}, not for linux/{wanted}");
        }

        // Of one image there may be variants, and one configuration may be packed in several ways: gzip and zstd.
        var best = suitable.GroupBy(static c => c.Top.Digest).Select(static g => g.MaxBy(static c => Platform.Rank(c.Descriptor.Platform))!)
            .DistinctBy(static c => c.ConfigDigest).ToList();
        return Load(ImageFinder.Single(best, options, static c => ImageException.Printable(Reference(c.Top) ?? c.Top.Digest ?? "?")));
    }

    /// <summary>The images that a descriptor stands for, be it an image's or an index's.</summary>
    private void Collect(OciDescriptor top, OciDescriptor descriptor, int depth)
    {
        // What buildkit adds about how an image was built is listed like an image, for an unknown machine.
        if (descriptor.Platform is { System: "unknown" } || descriptor.Annotations?.ContainsKey("vnd.docker.reference.type") == true) return;
        if (++_visited > MaxManifests) throw new ImageException($"has more than {MaxManifests} manifests");
        var digest = Digest.Parse(descriptor.Digest);
        try
        {
            // An index may list what a layout has only for some machines.
            if (depth > 0 && !archive.Contains(BlobName(digest))) return;
            var manifest = ImageArchive.Parse(ReadBlob(descriptor), DocumentContext.Default.OciManifest);
            if (manifest.Manifests is { } nested)
            {
                if (depth == MaxNesting) throw new ImageException($"is an index in an index, more than {MaxNesting} times");
                foreach (var inner in nested) Collect(top, NotNull(inner), depth + 1);
                return;
            }

            if (manifest.SchemaVersion == 1) throw new ImageException("is a manifest of the first version", "Pull the image with a newer docker and save it again");
            if (manifest.Config is null || manifest.Layers is null) throw new ImageException("is no image's manifest");
            var content = ReadBlob(manifest.Config);
            var config = ImageArchive.Parse(content, DocumentContext.Default.ConfigDocument);
            _candidates.Add(new(top, descriptor, manifest, Digest.Parse(manifest.Config.Digest), content,
                descriptor.Platform?.System ?? config.System, descriptor.Platform?.Architecture ?? config.Architecture));
        }
        catch (ImageException e) when (e.InBlob(digest.ToString()))
        {
            throw;
        }
    }

    private List<Candidate> Selected()
    {
        if (options.Select is not { } wanted) return _candidates;
        var reference = ReferenceName.TryNormalize(wanted);
        return
        [
            .. _candidates.Where(c => wanted == Annotation(c.Top, ReferenceAnnotation) || wanted == Annotation(c.Top, ContainerdAnnotation)
                || (reference is not null && reference == Reference(c.Top)) || (reference is not null && reference == FullName(c.Top))
                || wanted == c.Top.Digest || wanted == c.Descriptor.Digest || wanted == c.ConfigDigest.ToString()),
        ];
    }

    private FoundImage Load(Candidate candidate)
    {
        try
        {
            var descriptors = candidate.Manifest.Layers!;
            var (document, ids) = ImageFinder.ParseConfig(candidate.Config, descriptors.Length);
            var layers = descriptors.Select((descriptor, i) => Layer(NotNull(descriptor), ids[i])).ToArray();
            var names = new List<string>();
            if (FullName(candidate.Top) is { } name) names.Add(name);
            if (archive.Contains("manifest.json")) names.AddRange(new DockerArchive(archive, options).NamesOf(candidate.ConfigDigest));
            return new(candidate.Config, candidate.ConfigDigest, document, layers, [.. names.Distinct()]);
        }
        catch (ImageException e) when (e.InBlob(candidate.ConfigDigest.ToString()))
        {
            throw;
        }
    }

    private LayerSource Layer(OciDescriptor descriptor, Digest diffId)
    {
        var digest = Digest.Parse(descriptor.Digest);
        try
        {
            if (descriptor.MediaType?.Contains("encrypted", StringComparison.Ordinal) == true) throw new ImageException("is an encrypted layer, which is not supported");
            if (descriptor.Urls is { Length: > 0 } && !archive.Contains(BlobName(digest)))
                throw new ImageException("is a layer that is only to be had elsewhere", "Export the image with all its layers");
            using var file = OpenBlob(descriptor);
            return new(BlobName(digest), file.Length, digest, diffId);
        }
        catch (ImageException e) when (e.InBlob(digest.ToString()))
        {
            throw;
        }
    }

    private byte[] ReadBlob(OciDescriptor descriptor)
    {
        var digest = Digest.Parse(descriptor.Digest);
        try
        {
            OpenBlob(descriptor).Dispose();
            var content = archive.Read(BlobName(digest));
            return Digest.Of(content) is var actual && actual == digest ? content
                : throw new ImageException($"has the digest {actual}", "It is damaged; get it again");
        }
        catch (ImageException e) when (e.InBlob(digest.ToString()))
        {
            throw;
        }
    }

    private FileSlice OpenBlob(OciDescriptor descriptor)
    {
        var file = archive.Open(BlobName(Digest.Parse(descriptor.Digest)));
        if (file.Length == descriptor.Size) return file;
        var length = file.Length;
        file.Dispose();
        throw new ImageException($"has {length} bytes where {descriptor.Size} are announced", "It is damaged or truncated; get it again");
    }

    /// <summary>The name that the layout gives, with the layout's own before it when that is only a tag.</summary>
    private string? FullName(OciDescriptor top)
    {
        if (Annotation(top, ContainerdAnnotation) is { } full && ReferenceName.TryNormalize(full) is { } name) return name;
        if (Annotation(top, ReferenceAnnotation) is not { } reference) return null;
        if (reference.AsSpan().ContainsAny(':', '/')) return ReferenceName.TryNormalize(reference);
        var layout = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        foreach (var extension in (ReadOnlySpan<string>)[".gz", ".tgz", ".zst", ".tar"])
            if (layout.EndsWith(extension, StringComparison.OrdinalIgnoreCase)) layout = layout[..^extension.Length];
        return ReferenceName.TryNormalize($"{layout.ToLowerInvariant()}:{reference}");
    }

    private static string? Reference(OciDescriptor top) => Annotation(top, ContainerdAnnotation) ?? Annotation(top, ReferenceAnnotation);

    private static string? Annotation(OciDescriptor descriptor, string name) => descriptor.Annotations?.GetValueOrDefault(name);

    private static string BlobName(Digest digest) => "blobs/sha256/" + digest.Hex;

    private static OciDescriptor NotNull(OciDescriptor? descriptor) => descriptor ?? throw new ImageException("lists nothing where a blob should be");

    private sealed record Candidate(
        OciDescriptor Top, OciDescriptor Descriptor, OciManifest Manifest, Digest ConfigDigest, byte[] Config, string? System, string? Architecture);
}
