using Isolation.Images.Documents;

namespace Isolation.Images.Archives;

/// <summary>An image that was found in an archive, its documents read and verified, its layers not yet.</summary>
internal sealed record FoundImage(byte[] Config, Digest Digest, ConfigDocument Document, IReadOnlyList<LayerSource> Layers, IReadOnlyList<string> Names);
