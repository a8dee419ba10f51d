namespace Isolation.Images.Documents;

/// <summary>One image in the manifest.json of "docker save".</summary>
internal sealed record DockerManifest
{
    public string? Config { get; init; }

    public string?[]? RepoTags { get; init; }

    public string?[]? Layers { get; init; }
}
