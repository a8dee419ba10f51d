using System.Text.Json.Serialization;

namespace Isolation.Images.Documents;

/// <summary>The machine that an image is for, in an index.</summary>
internal sealed record OciPlatform
{
    [JsonPropertyName("architecture")] public string? Architecture { get; init; }

    [JsonPropertyName("os")] public string? System { get; init; }

    [JsonPropertyName("variant")] public string? Variant { get; init; }
}
