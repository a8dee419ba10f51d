using System.Text.Json.Serialization;

namespace Isolation.Images.Documents;

/// <summary>Made at compile time: works trimmed and compiled ahead of time.</summary>
[JsonSerializable(typeof(OciManifest))]
[JsonSerializable(typeof(DockerManifest[]))]
[JsonSerializable(typeof(ConfigDocument))]
internal sealed partial class DocumentContext : JsonSerializerContext;
