namespace Isolation;

/// <summary>
/// What is at <c>/</c> for the program. Every root but the two of the host replaces the host's tree, which is then gone:
/// nothing outside the root can be named, neither by the program nor by a link in the root.
/// </summary>
public sealed class Root
{
    internal const long DefaultSize = 64L << 20;

    private Root(RootKind kind, RootAccess access, params string[] folders) => (Kind, Access, Folders) = (kind, access, folders);

    /// <summary>
    /// The host's tree, every mount of it read-only, without effect of set-user-ID bits and, with a private /dev, of device
    /// nodes. The default.
    /// </summary>
    public static Root HostReadOnly { get; } = new(RootKind.HostReadOnly, RootAccess.ReadOnly);

    /// <summary>The host's tree as it is: the program may write wherever its user may. Mounts made inside still stay inside.</summary>
    public static Root Host { get; } = new(RootKind.Host, RootAccess.Writable);

    /// <summary>Nothing but what <see cref="FilesystemOptions.Mounts"/> brings, in memory (tmpfs).</summary>
    /// <param name="size">Limit, in bytes, of what can be written to it. Default: 64 MiB.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public static Root Empty(long size = DefaultSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return new Root(RootKind.Empty, RootAccess.Writable) { Size = size };
    }

    /// <summary>A folder of the host, with what is mounted below it.</summary>
    /// <param name="path">The folder. A relative path counts from the host's current directory.</param>
    /// <param name="access">What the program may do to it. Default: nothing.</param>
    /// <exception cref="ArgumentException">The path is empty or has a NUL character.</exception>
    public static Root Directory(string path, RootAccess access = RootAccess.ReadOnly) => new(RootKind.Directory, Known(access), HostPath(path));

    /// <summary>Folders laid over one another, as the layers of an image are (overlayfs; an ordinary user needs Linux 5.11).</summary>
    /// <param name="lowestFirst">The folders, in overlayfs's own format where they remove something. Later ones cover earlier ones.</param>
    /// <param name="access">What the program may do. Default: copy on write. <see cref="RootAccess.Writable"/> is not possible.</param>
    /// <exception cref="ArgumentException">There is no layer, or the layers would have to be writable.</exception>
    public static Root Layers(IEnumerable<string> lowestFirst, RootAccess access = RootAccess.CopyOnWrite)
    {
        ArgumentNullException.ThrowIfNull(lowestFirst);
        if (Known(access) == RootAccess.Writable) throw new ArgumentException("Layers cannot be written to themselves; use CopyOnWrite.", nameof(access));
        string[] folders = [.. lowestFirst.Select(HostPath)];
        if (folders.Length is 0 or > MaxLayers) throw new ArgumentException($"There must be 1 to {MaxLayers} layers, not {folders.Length}.", nameof(lowestFirst));
        return new Root(RootKind.Layers, access, folders);
    }

    /// <summary>A file that holds an EROFS or squashfs file system. Needs root, and for squashfs (and EROFS before Linux 6.12) a free loop device.</summary>
    /// <param name="path">The file. A relative path counts from the host's current directory.</param>
    /// <param name="access">What the program may do. Default: nothing. <see cref="RootAccess.Writable"/> is not possible.</param>
    /// <exception cref="ArgumentException">The file system of an image cannot be written to.</exception>
    public static Root ImageFile(string path, RootAccess access = RootAccess.ReadOnly) => Known(access) == RootAccess.Writable
        ? throw new ArgumentException("These file systems cannot be written to; use CopyOnWrite.", nameof(access))
        : new Root(RootKind.ImageFile, access, HostPath(path));

    /// <summary>The same folder, layers or image with other access.</summary>
    /// <exception cref="InvalidOperationException">The root is the host's, or empty.</exception>
    /// <exception cref="ArgumentException">It cannot be writable: only a folder can.</exception>
    public Root WithAccess(RootAccess access)
    {
        if (Folders.Length == 0) throw new InvalidOperationException("Only a folder, layers or an image can be accessed in different ways.");
        if (Known(access) == RootAccess.Writable && Kind != RootKind.Directory)
            throw new ArgumentException("Only a folder can be written to itself; use CopyOnWrite.", nameof(access));
        return new Root(Kind, access, Folders) { Size = Size };
    }

    /// <summary>
    /// The same root with its changes kept: in <c>upper</c>, below a folder of the host that exists. A later start with the
    /// same folder goes on from there. One sandbox at a time may use it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The root is not <see cref="RootAccess.CopyOnWrite"/>.</exception>
    public Root WithChangesIn(string folder) => Access != RootAccess.CopyOnWrite
        ? throw new InvalidOperationException("Only a CopyOnWrite root has changes of its own.")
        : new Root(Kind, Access, Folders) { Size = Size, Changes = HostPath(folder) };

    /// <summary>The same root with another limit, in bytes, of the changes that are held in memory. Default: 64 MiB.</summary>
    /// <exception cref="InvalidOperationException">The root is not <see cref="RootAccess.CopyOnWrite"/>.</exception>
    public Root WithChangesUpTo(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return Access != RootAccess.CopyOnWrite
            ? throw new InvalidOperationException("Only a CopyOnWrite root has changes of its own.")
            : new Root(Kind, Access, Folders) { Size = size, Changes = Changes };
    }

    /// <summary>A page, which is what mount(2) takes, holds this many references to layers.</summary>
    internal const int MaxLayers = 128;

    internal RootKind Kind { get; }

    internal RootAccess Access { get; }

    /// <summary>Absolute paths on the host: the folder, the layers (lowest first), or the image's file.</summary>
    internal string[] Folders { get; }

    internal long Size { get; private init; } = DefaultSize;

    internal string? Changes { get; private init; }

    /// <summary>The program keeps the host's own root directory.</summary>
    internal bool IsHost => Kind is RootKind.Host or RootKind.HostReadOnly;

    /// <summary>What lies in it has been made by somebody else, who may have put links where folders are expected.</summary>
    internal bool IsForeign => !IsHost && Kind != RootKind.Empty;

    /// <inheritdoc/>
    public override string ToString() => Folders.Length == 0 ? Kind.ToString() : $"{Kind} {Access} {string.Join(':', Folders)}";

    internal static string HostPath(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Path.GetFullPath(path); // refuses NUL
    }

    private static RootAccess Known(RootAccess access) =>
        Enum.IsDefined(access) ? access : throw new ArgumentOutOfRangeException(nameof(access), access, "Not an access that there is.");
}
