using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Isolation.Images.Archives;

/// <summary>The files of an image as it was handed over, whether they lie in a folder or in a tar archive.</summary>
internal abstract class ImageArchive : IDisposable
{
    /// <summary>Manifests and configurations; registries take 4 MiB at most.</summary>
    private const int MaxDocument = 8 << 20;

    /// <summary>Null when there is no such file.</summary>
    internal abstract FileSlice? TryOpen(string name);

    internal FileSlice Open(string name) => TryOpen(name) ?? throw Missing(name);

    internal bool Contains(string name)
    {
        using var file = TryOpen(name);
        return file is not null;
    }

    internal byte[] Read(string name)
    {
        using var file = Open(name);
        if (file.Length > MaxDocument) throw new ImageException($"is a document of {file.Length} bytes; 8 MiB are possible");
        var content = new byte[file.Length];
        file.ReadExactly(content);
        return content;
    }

    internal static T Parse<T>(ReadOnlySpan<byte> content, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(content, type) ?? throw new ImageException("is an empty document");
        }
        catch (JsonException e)
        {
            throw new ImageException($"is no such document as it should be, at line {e.LineNumber + 1}", null, e);
        }
    }

    public abstract void Dispose();

    private static ImageException Missing(string name)
    {
        var exception = new ImageException("is missing", "The archive is incomplete; export the image again, with all its layers");
        _ = exception.InBlob(ImageException.Printable(name));
        return exception;
    }
}
