using Isolation.Images.Documents;
using Isolation.Images.Storage;

namespace Isolation.Images.Archives;

/// <summary>What "docker save" wrote until version 25, and what other programs call docker-archive.</summary>
internal sealed class DockerArchive(ImageArchive archive, ImageImportOptions options)
{
    internal FoundImage Find()
    {
        var manifest = ImageFinder.Single(Candidates(), options, static m => Name(m));
        var configName = manifest.Config ?? throw new ImageException("has no configuration");
        var layers = manifest.Layers ?? [];
        try
        {
            var config = archive.Read(configName);
            var digest = Digest.Of(config);
            // The name is the digest; nothing else in this format says what it should be.
            if (HexOf(configName) is { } hex && hex != digest.Hex)
                throw new ImageException($"has the digest {digest}", "It is damaged; get it again");
            var (document, ids) = ImageFinder.ParseConfig(config, layers.Length);
            if (!Platform.IsFor(Platform.Name(options.Architecture), document.System, document.Architecture))
                throw new ImageException($"is for {document.System}/{document.Architecture}, not for linux/{Platform.Name(options.Architecture)}");
            var names = (manifest.RepoTags ?? []).Select(tag => tag is null ? null : ReferenceName.TryNormalize(tag)).OfType<string>();
            return new(config, digest, document, [.. layers.Select((layer, i) => Layer(layer, ids[i]))], [.. names]);
        }
        catch (ImageException e) when (e.InBlob(ImageException.Printable(configName)))
        {
            throw;
        }
    }

    /// <summary>The names that this archive gives to the image with this configuration.</summary>
    internal IEnumerable<string> NamesOf(Digest config) =>
        from manifest in Read()
        where manifest.Config is { } name && HexOf(name) == config.Hex
        from tag in manifest.RepoTags ?? []
        where tag is not null
        let name = ReferenceName.TryNormalize(tag)
        where name is not null
        select name;

    private List<DockerManifest> Candidates()
    {
        var all = Read();
        if (options.Select is not { } wanted) return [.. all];
        var reference = ReferenceName.TryNormalize(wanted);
        var hex = Digest.TryParse(wanted, out var digest) ? digest.Hex : wanted;
        return
        [
            .. all.Where(manifest => manifest.Config is { } config && HexOf(config) == hex
                || (manifest.RepoTags ?? []).Any(tag => tag == wanted || (tag is not null && reference is not null && ReferenceName.TryNormalize(tag) == reference))),
        ];
    }

    private DockerManifest[] Read()
    {
        try
        {
            var all = ImageArchive.Parse(archive.Read("manifest.json"), DocumentContext.Default.DockerManifestArray);
            return all.Any(static m => m is null) ? throw new ImageException("is no such document as it should be") : all;
        }
        catch (ImageException e) when (e.InBlob("manifest.json"))
        {
            throw;
        }
    }

    private LayerSource Layer(string? name, Digest diffId)
    {
        if (name is null) throw new ImageException("has a layer without a name");
        using var file = archive.Open(name);
        return new(name, file.Length, null, diffId);
    }

    /// <summary>"HEX.json" of the older, "blobs/sha256/HEX" of the newer form.</summary>
    private static string? HexOf(string name)
    {
        var hex = name.EndsWith(".json", StringComparison.Ordinal) ? name[..^5] : name;
        hex = hex[(hex.LastIndexOf('/') + 1)..];
        return Digest.IsHex(hex) ? hex : null;
    }

    private static string Name(DockerManifest manifest) =>
        manifest.RepoTags is [{ } tag, ..] ? ImageException.Printable(tag)
        : manifest.Config is { } config && HexOf(config) is { } hex ? "sha256:" + hex
        : "one without a name";
}
