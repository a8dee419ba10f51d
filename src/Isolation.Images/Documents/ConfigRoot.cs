using System.Text.Json.Serialization;

namespace Isolation.Images.Documents;

/// <summary>The layers of an image, lowest first.</summary>
internal sealed record ConfigRoot
{
    [JsonPropertyName("type")] public string? Type { get; init; }

    [JsonPropertyName("diff_ids")] public string?[]? DiffIds { get; init; }
}
