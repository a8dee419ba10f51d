using System.Text.Json.Serialization;

namespace Isolation.Images.Documents;

/// <summary>An image manifest or an index of several, which differ in what they have (image-spec, manifest.md, image-index.md).</summary>
internal sealed record OciManifest
{
    [JsonPropertyName("schemaVersion")] public int SchemaVersion { get; init; }

    [JsonPropertyName("mediaType")] public string? MediaType { get; init; }

    [JsonPropertyName("manifests")] public OciDescriptor?[]? Manifests { get; init; }

    [JsonPropertyName("config")] public OciDescriptor? Config { get; init; }

    [JsonPropertyName("layers")] public OciDescriptor?[]? Layers { get; init; }
}
