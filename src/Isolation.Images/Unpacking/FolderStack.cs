using Isolation.Images.Interop;
using Isolation.Images.Tar;
using Isolation.Interop;

namespace Isolation.Images.Unpacking;

/// <summary>
/// The folders from a layer's root to where the last entry was, all open. A path is only ever walked one name at a time from
/// an open folder, and never through a link: that nothing outside can be reached needs no help from the kernel's path
/// lookup (openat2(2), which an outer seccomp filter may forbid). As archives list a folder's content together, most
/// entries find their folder open.
/// </summary>
/// <remarks>
/// Making an entry changes its folder's time, and modes may forbid making it: a folder gets its own when it is left. Entered
/// again later, it has them read first and is given them back. So nothing is kept of the folders that have been left.
/// </remarks>
internal sealed class FolderStack : IDisposable
{
    private const uint Writable = 0x1c0; // rwx------

    private readonly List<Frame> _frames = []; // those above _depth are there to be used again
    private readonly UnpackRights _rights;
    private int _depth;

    /// <param name="root">The layer's root, whose descriptor is the caller's.</param>
    /// <param name="rights">What this process may do.</param>
    internal FolderStack(int root, UnpackRights rights)
    {
        _rights = rights;
        Push([], root, mode: 0x1ed);
    }

    /// <summary>What folders get that have to be made though the archive has no entry for them (yet).</summary>
    internal (long Seconds, uint Nanoseconds) DefaultTime { get; set; }

    /// <summary>The folder that is open last, the root at first.</summary>
    internal int Top => _frames[_depth - 1].Descriptor;

    /// <summary>
    /// Opens the folder that the first parts of a path name. Those that are not there are made, as archives may leave them
    /// out, or are an error.
    /// </summary>
    internal int Enter(EntryPath path, int parts, bool mayMake)
    {
        var common = 0;
        while (common < parts && common + 1 < _depth && path[common].SequenceEqual(_frames[common + 1].Name)) common++;
        while (_depth > common + 1) Pop();
        for (var i = common; i < parts; i++)
        {
            if (mayMake) MakeOrOpen(path.Terminated(i));
            else if (!OpenFolder(path.Terminated(i), out _)) throw new ImageException("is another name of an entry that is not in this layer");
        }

        return Top;
    }

    /// <summary>To be said before something is made or removed in the top folder.</summary>
    internal void WillChange() => _frames[_depth - 1].MustRestore = true;

    /// <summary>Makes a folder in the top one, or opens it when it is there, and has it on top then.</summary>
    /// <returns>Whether it was made.</returns>
    internal bool MakeOrOpen(ReadOnlySpan<byte> name)
    {
        if (OpenFolder(name, out var isWhiteout)) return false;
        WillChange();
        if (isWhiteout) RemoveWhiteout(name);
        var result = Files.MakeFolder(Top, name, Writable);
        if (result < 0) throw ImageException.FromCall("make a folder", "mkdirat", result);
        var folder = Files.OpenFolder(Top, name);
        if (folder < 0) throw ImageException.FromCall("open a folder", "openat", folder);
        var frame = Push(name[..^1], folder, mode: 0x1ed);
        (frame.Seconds, frame.Nanoseconds, frame.HasTime) = (DefaultTime.Seconds, DefaultTime.Nanoseconds, true);
        if (isWhiteout) Overlay.MakeOpaque(folder);
        return true;
    }

    /// <summary>What the top folder is to have when it is left.</summary>
    internal void SetMetadata(uint mode, long seconds, uint nanoseconds)
    {
        var top = _frames[_depth - 1];
        (top.Mode, top.Seconds, top.Nanoseconds, top.HasTime, top.MustRestore) = (mode, seconds, nanoseconds, true, true);
    }

    /// <summary>Leaves all folders.</summary>
    internal void Finish()
    {
        while (_depth > 0) Pop();
    }

    public void Dispose()
    {
        for (; _depth > 1; _depth--) _ = Kernel.close(_frames[_depth - 1].Descriptor);
    }

    /// <summary>False when there is nothing of that name, or only what hides a lower layer's.</summary>
    private bool OpenFolder(ReadOnlySpan<byte> name, out bool isWhiteout)
    {
        isWhiteout = false;
        var folder = Files.OpenFolder(Top, name);
        if (folder == -(int)Errno.EACCES && Files.Stat(Top, name, out var closed) == 0 && closed.IsFolder())
        {
            // One of our own that its mode closes to ourselves. Nobody else is at work here: it still is what it was.
            WillChange();
            _ = Files.ChangeMode(Top, name, Writable);
            folder = Files.OpenFolder(Top, name);
            if (folder >= 0) Push(name[..^1], folder, closed, mustRestore: true);
        }
        else if (folder >= 0)
        {
            _ = Files.Stat(folder, out var found);
            var mustOpen = !_rights.IsUnrestricted && (found.stx_mode & Writable) != Writable;
            if (mustOpen) _ = Files.ChangeMode(folder, Writable);
            Push(name[..^1], folder, found, mustOpen);
        }

        if (folder >= 0) return true;
        if (folder == -(int)Errno.ENOENT) return false;
        if (folder != -(int)Errno.ENOTDIR && folder != -(int)Errno.ELOOP) throw ImageException.FromCall("open a folder", "openat", folder);
        isWhiteout = IsWhiteout(name);
        if (isWhiteout) return false;
        throw new ImageException($"needs a folder where the same layer has '{ImageException.Printable(name[..^1])}', which is none",
            "A layer may neither lead through its own links nor have two entries of one name");
    }

    /// <summary>Whether the top folder has this name only to hide a lower layer's.</summary>
    internal bool IsWhiteout(ReadOnlySpan<byte> name) => Files.Stat(Top, name, out var found) == 0 && found.IsWhiteout();

    /// <summary>Makes way for an entry of the same name: both together mean that nothing of the lower layers' shows.</summary>
    internal void RemoveWhiteout(ReadOnlySpan<byte> name)
    {
        WillChange();
        var result = Files.Unlink(Top, name);
        if (result < 0) throw ImageException.FromCall("replace a whiteout", "unlinkat", result);
    }

    private Frame Push(ReadOnlySpan<byte> name, int descriptor, uint mode)
    {
        if (_depth == _frames.Count) _frames.Add(new Frame());
        var frame = _frames[_depth++];
        frame.Set(name, descriptor, mode);
        return frame;
    }

    private void Push(ReadOnlySpan<byte> name, int descriptor, in statx found, bool mustRestore)
    {
        var frame = Push(name, descriptor, found.stx_mode & 0xfffu);
        (frame.Seconds, frame.Nanoseconds, frame.HasTime) = (found.stx_mtime_sec, found.stx_mtime_nsec, true);
        frame.MustRestore = mustRestore;
    }

    private void Pop()
    {
        var frame = _frames[_depth - 1];
        if (frame.MustRestore)
        {
            var result = Files.ChangeMode(frame.Descriptor, frame.Mode);
            if (result < 0) throw ImageException.FromCall("set a folder's mode", "fchmod", result);
            if (frame.HasTime) result = Files.SetTime(frame.Descriptor, frame.Seconds, frame.Nanoseconds);
            if (result < 0) throw ImageException.FromCall("set a folder's time", "utimensat", result);
        }

        _depth--;
        if (_depth > 0) _ = Kernel.close(frame.Descriptor);
    }

    private sealed class Frame
    {
        private readonly byte[] _name = new byte[256];
        private int _length;

        internal int Descriptor;
        internal uint Mode, Nanoseconds;
        internal long Seconds;
        internal bool HasTime, MustRestore;

        internal ReadOnlySpan<byte> Name => _name.AsSpan(0, _length);

        internal void Set(ReadOnlySpan<byte> name, int descriptor, uint mode)
        {
            name.CopyTo(_name);
            _length = name.Length;
            (Descriptor, Mode, HasTime, MustRestore) = (descriptor, mode, false, true);
        }
    }
}
