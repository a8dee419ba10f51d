using System.Text.Json.Serialization;

namespace Isolation.Images.Documents;

/// <summary>An image's configuration (image-spec, config.md).</summary>
internal sealed record ConfigDocument
{
    [JsonPropertyName("created")] public DateTimeOffset? Created { get; init; }

    [JsonPropertyName("architecture")] public string? Architecture { get; init; }

    [JsonPropertyName("os")] public string? System { get; init; }

    [JsonPropertyName("config")] public ConfigExecution? Execution { get; init; }

    [JsonPropertyName("rootfs")] public ConfigRoot? Root { get; init; }
}
