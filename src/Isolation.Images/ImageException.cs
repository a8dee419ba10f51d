using System.Text;
using Isolation.Interop;

namespace Isolation.Images;

/// <summary>
/// An image could not be read, unpacked or used: it is damaged, hostile, for another machine, or the store cannot take it.
/// Nothing of it is left behind. A file or folder that is not there, or not to be opened, is an <see cref="IOException"/> or
/// <see cref="UnauthorizedAccessException"/> as usual.
/// </summary>
public sealed class ImageException : Exception
{
    private readonly string _problem;

    internal ImageException(string problem, string? hint = null, Exception? inner = null) : base(problem, inner)
    {
        _problem = problem;
        Hint = hint;
    }

    /// <summary>The archive, layout or store concerned, or null.</summary>
    public string? Archive { get; private set; }

    /// <summary>The part of it: a blob's digest or the name of a file in the archive; or null.</summary>
    public string? Blob { get; private set; }

    /// <summary>The entry of the layer, as the layer names it; or null.</summary>
    public string? Entry { get; private set; }

    /// <summary>What to do about it, where there is something to be done.</summary>
    public string? Hint { get; }

    /// <inheritdoc/>
    public override string Message
    {
        get
        {
            var text = new StringBuilder();
            if (Archive is not null) text.Append("Image '").Append(Archive).Append("': ");
            if (Blob is not null) text.Append(Blob).Append(": ");
            if (Entry is not null) text.Append("entry '").Append(Entry).Append("': ");
            text.Append(_problem).Append('.');
            if (Hint is not null) text.Append(' ').Append(Hint).Append(Hint.EndsWith('.') ? "" : ".");
            return text.ToString();
        }
    }

    /// <summary>A system call that failed.</summary>
    internal static ImageException FromCall(string doing, string syscall, nint result) =>
        new($"could not {doing}: {syscall} failed with {ErrnoExtensions.Describe((int)-result)}", (Errno)(-result) switch
        {
            Errno.ENOSPC => "The store's file system is full",
            Errno.EMFILE or Errno.ENFILE => "Too many open files; raise the limit (ulimit -n)",
            Errno.EROFS => "The store's file system is read-only",
            Errno.EFBIG => "The file is larger than the store's file system allows",
            Errno.ENAMETOOLONG => "The store's file system allows no name of that length",
            _ => null,
        });

    // Each for an exception filter, on the way up: adds what the thrower could not know, and never catches.
    internal bool InArchive(string archive)
    {
        Archive ??= archive;
        return false;
    }

    internal bool InBlob(string blob)
    {
        Blob ??= blob;
        return false;
    }

    internal bool InEntry(ReadOnlySpan<byte> name)
    {
        Entry ??= Printable(name);
        return false;
    }

    /// <summary>A name from an archive as it may be shown: it can hold anything, terminal control sequences included.</summary>
    internal static string Printable(ReadOnlySpan<byte> name)
    {
        const int most = 200;
        var text = new StringBuilder(Encoding.UTF8.GetString(name.Length > most ? name[..most] : name));
        for (var i = 0; i < text.Length; i++)
            if (char.IsControl(text[i])) text[i] = '\uFFFD';
        if (name.Length > most) text.Append('…');
        return text.ToString();
    }

    /// <inheritdoc cref="Printable(ReadOnlySpan{byte})"/>
    internal static string Printable(string name) => Printable(Encoding.UTF8.GetBytes(name));
}
