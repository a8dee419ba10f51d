using System.Text;

namespace Isolation;

/// <summary>
/// A file whose content comes from memory and never touches the host's disks: a configuration, a secret. Where the tree is the
/// sandbox's own, it is a file there; over a file that exists in a tree of the host it is laid read-only.
/// </summary>
public sealed class FileMount : Mount
{
    /// <summary>Longest content, in bytes.</summary>
    public const int MaxLength = 1 << 20;

    /// <summary>A file with these bytes.</summary>
    /// <exception cref="ArgumentException">Longer than <see cref="MaxLength"/>.</exception>
    public FileMount(string target, ReadOnlyMemory<byte> content)
        : base(target)
    {
        if (content.Length > MaxLength) throw new ArgumentException($"The content of a file can have {MaxLength} bytes, not {content.Length}.", nameof(content));
        Content = content;
    }

    /// <summary>A file with this text, in UTF-8.</summary>
    /// <exception cref="ArgumentException">Longer than <see cref="MaxLength"/>.</exception>
    public FileMount(string target, string content)
        : this(target, Encoding.UTF8.GetBytes(content ?? throw new ArgumentNullException(nameof(content))))
    {
    }

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Content { get; }

    /// <summary>Access mode. Default: 0644.</summary>
    public UnixFileMode Mode { get; init; } = (UnixFileMode)0x1a4;

    /// <summary>The owner, as the sandbox counts users. Default: null, user 0 or the sandbox's only one.</summary>
    public uint? UserId { get; init; }

    /// <summary>The group, likewise.</summary>
    public uint? GroupId { get; init; }
}
