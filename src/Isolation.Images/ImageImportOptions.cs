using System.Runtime.InteropServices;
using Isolation.Images.Storage;

namespace Isolation.Images;

/// <summary>What to import, under which name, and how much of it there may be.</summary>
public sealed class ImageImportOptions
{
    /// <summary>
    /// The name that the image gets in the store, such as <c>busybox:1.36</c>; without a tag it is <c>latest</c>. An image
    /// that had it keeps its other names. Default: null, the names that the archive gives it, if any.
    /// </summary>
    public string? Reference { get; set; }

    /// <summary>
    /// Which image of an archive with several: one of its names there, a tag of an OCI layout, or the digest of a manifest or
    /// configuration. Default: null, the only one.
    /// </summary>
    public string? Select { get; set; }

    /// <summary>The machine that the image must be for, and that is picked from one for several. Default: this machine's.</summary>
    public Architecture Architecture { get; set; } = RuntimeInformation.OSArchitecture;

    /// <summary>
    /// Most bytes that all layers together may have when decompressed, without the holes of sparse files. Default: 32 GiB.
    /// </summary>
    public long MaxSize { get; set; } = 32L << 30;

    /// <summary>Most entries (files, folders, links, whiteouts) that all layers together may have. Default: 1,000,000.</summary>
    public long MaxEntries { get; set; } = 1_000_000;

    /// <summary>
    /// Waits, before a layer becomes visible, until it is on the disk (syncfs(2)), so that not even a loss of power leaves a
    /// damaged image behind. Without it an import is faster, and an image may be damaged after a crash of the machine, though
    /// not of the program. Default: true.
    /// </summary>
    public bool FlushToDisk { get; set; } = true;

    internal void Validate()
    {
        if (Reference is not null && ReferenceName.TryNormalize(Reference) is null)
            throw new ArgumentException($"'{Reference}' is no image name: lower-case letters and digits, with . _ - / between, and a tag after a colon.", nameof(Reference));
        if (Select is { Length: 0 }) throw new ArgumentException("Must not be empty; null takes the only image there is.", nameof(Select));
        if (Architecture is not (Architecture.X64 or Architecture.Arm64 or Architecture.X86 or Architecture.Arm))
            throw new ArgumentOutOfRangeException(nameof(Architecture), Architecture, "Not an architecture that images are selected by.");
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxEntries);
    }
}
