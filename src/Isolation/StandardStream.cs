using System.Runtime.InteropServices;

namespace Isolation;

/// <summary>Where a standard stream of the program comes from or goes to.</summary>
public sealed class StandardStream
{
    private StandardStream(StandardStreamKind kind, SafeHandle? handle = null)
    {
        Kind = kind;
        SourceHandle = handle;
    }

    /// <summary>The host's own stream. One that is closed in the host becomes <see cref="Null"/>.</summary>
    public static StandardStream Inherit { get; } = new(StandardStreamKind.Inherit);

    /// <summary>A pipe whose other end is a stream of <see cref="IsolatedProcess"/>.</summary>
    public static StandardStream Pipe { get; } = new(StandardStreamKind.Pipe);

    /// <summary>The null device: reads end at once, writes vanish.</summary>
    public static StandardStream Null { get; } = new(StandardStreamKind.Null);

    /// <summary>An open handle: a file, a socket, a pipe end. It stays the caller's, who may close it once the start is done.</summary>
    /// <exception cref="ArgumentException">The handle is closed or invalid.</exception>
    public static StandardStream FromHandle(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        if (handle.IsClosed || handle.IsInvalid) throw new ArgumentException("The handle is closed or invalid.", nameof(handle));
        return new StandardStream(StandardStreamKind.Handle, handle);
    }

    internal StandardStreamKind Kind { get; }

    internal SafeHandle? SourceHandle { get; }

    /// <inheritdoc/>
    public override string ToString() => Kind.ToString();
}
