using System.Text.Json.Serialization;

namespace Isolation.Images.Documents;

/// <summary>Names a blob by its content (image-spec, descriptor.md).</summary>
internal sealed record OciDescriptor
{
    [JsonPropertyName("mediaType")] public string? MediaType { get; init; }

    [JsonPropertyName("digest")] public string? Digest { get; init; }

    [JsonPropertyName("size")] public long Size { get; init; }

    [JsonPropertyName("platform")] public OciPlatform? Platform { get; init; }

    [JsonPropertyName("annotations")] public Dictionary<string, string?>? Annotations { get; init; }

    [JsonPropertyName("urls")] public string[]? Urls { get; init; }
}
