using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Security.Cryptography;
using Isolation.Images.Archives;
using ZstdSharp;

namespace Isolation.Images.Unpacking;

/// <summary>A layer as it comes from the archive: decompressed while it is read, and compared with its digests at its end.</summary>
[SuppressMessage("Reliability", "CA2213", Justification = "The decompressor owns the streams below it.")]
internal sealed class LayerInput : IDisposable
{
    private readonly IncrementalHash _content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly HashingStream _stored;
    private readonly Stream _plain;
    private readonly LayerSource _source;
    private readonly UnpackBudget _budget;
    private readonly bool _isCompressed;
    private bool _isFinished;

    internal LayerInput(ImageArchive archive, LayerSource source, UnpackBudget budget, Action<int>? onRead)
    {
        (_source, _budget) = (source, budget);
        var slice = archive.Open(source.Name);
        Span<byte> start = stackalloc byte[6];
        start = start[..slice.Peek(start)];
        var compression = Compressions.Detect(start);
        _isCompressed = compression != Compression.None;
        _stored = new HashingStream(slice, _isCompressed && source.Digest is not null, onRead);
        _plain = compression switch
        {
            Compression.None => _stored,
            Compression.Gzip => new GZipStream(_stored, CompressionMode.Decompress),
            // Its windows may have 128 MiB, as with the zstd program itself: more takes an option there.
            Compression.Zstd => new DecompressionStream(_stored, leaveOpen: false),
            var other => throw new ImageException($"is compressed with {other}, which is not supported", "gzip and zstd are"),
        };
    }

    /// <summary>Fills a buffer with the layer's content; less than all of it only at the end, and nothing after that.</summary>
    internal int Fill(Span<byte> buffer)
    {
        if (_isFinished) return 0;
        var filled = 0;
        try
        {
            while (filled < buffer.Length)
            {
                var count = _plain.Read(buffer[filled..]);
                if (count == 0) break;
                filled += count;
            }
        }
        catch (Exception e) when (e is InvalidDataException or ZstdException or EndOfStreamException)
        {
            throw new ImageException("cannot be decompressed", "It is damaged or truncated; get it again", e);
        }

        _content.AppendData(buffer[..filled]);
        _budget.TakeBytes(filled);
        if (filled < buffer.Length) Finish();
        return filled;
    }

    public void Dispose()
    {
        _plain.Dispose();
        _content.Dispose();
    }

    private void Finish()
    {
        _isFinished = true;
        _stored.Drain();
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _content.GetHashAndReset(hash);
        var content = Digest.FromHash(hash);
        // Stored as it is, it is what has been digested already.
        if (_source.Digest is { } stored && (_isCompressed ? _stored.Hash() : content) is var actual && actual != stored)
            throw new ImageException($"has the digest {actual}", "It is damaged, or not what the manifest means; get it again");
        if (content != _source.DiffId)
            throw new ImageException($"has the content {content}, and the image's configuration wants {_source.DiffId}", "It is damaged, or belongs to another image");
    }
}
