namespace Isolation.Images.Archives;

/// <summary>Where a layer is in an archive, and what it must turn out to be.</summary>
/// <param name="Name">The file's name in the archive.</param>
/// <param name="Size">Its size as it is stored.</param>
/// <param name="Digest">The digest of that, where the archive's format has one.</param>
/// <param name="DiffId">The digest of the tar archive inside.</param>
internal sealed record LayerSource(string Name, long Size, Digest? Digest, Digest DiffId)
{
    public override string ToString() => Digest?.ToString() ?? Name;
}
