using Isolation.Images.Interop;
using Isolation.Images.Tar;
using Isolation.Interop;

namespace Isolation.Images.Unpacking;

/// <summary>
/// Makes a layer's files below a folder, in overlayfs's format. Every entry is new: two of one name, which the image
/// specification forbids, are an error (folders apart, whose last entry counts), so nothing is ever replaced or followed.
/// </summary>
internal sealed class LayerUnpacker : IDisposable
{
    private const int Unchanged = -(int)Errno.EPERM;
    private const uint Private = 0x180; // rw-------

    private readonly TarReader _tar;
    private readonly FolderStack _folders;
    private readonly UnpackBudget _budget;
    private readonly UnpackRights _rights;
    private readonly EntryPath _path = new(), _target = new();
    private readonly byte[] _text = new byte[EntryPath.MaxLength + 1];

    /// <param name="source">The layer, decompressed.</param>
    /// <param name="root">An empty folder, whose descriptor is the caller's.</param>
    /// <param name="budget">What the layer may take.</param>
    /// <param name="rights">What this process may do.</param>
    internal LayerUnpacker(TarSource source, int root, UnpackBudget budget, UnpackRights rights)
    {
        _tar = new TarReader(source);
        _folders = new FolderStack(root, rights);
        (_budget, _rights) = (budget, rights);
    }

    internal void Unpack(CancellationToken cancellationToken)
    {
        while (_tar.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                _budget.TakeEntry();
                _budget.CheckSize(_tar.StoredSize);
                _path.Parse(_tar.Name);
                _folders.DefaultTime = (_tar.ModificationSeconds, _tar.ModificationNanoseconds);
                UnpackEntry();
            }
            catch (ImageException e) when (e.InEntry(_tar.Name))
            {
            }
        }

        _folders.Finish();
    }

    public void Dispose() => _folders.Dispose();

    private void UnpackEntry()
    {
        for (var i = 0; i < _path.Depth - 1; i++)
            if (_path[i].StartsWith(".wh."u8)) throw ReservedName();
        if (_path.Depth == 0)
        {
            if (_tar.Type != TarEntryType.Folder) throw new ImageException("is named like the root, but is no folder");
            _folders.Enter(_path, 0, mayMake: false);
            FinishFolder();
        }
        else if (_path.Last.StartsWith(".wh."u8))
        {
            Hide(_path.Last[".wh.".Length..]);
        }
        else
        {
            Make(_path.Terminated(_path.Depth - 1));
        }
    }

    private void Hide(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual(".wh..opq"u8))
        {
            var folder = _folders.Enter(_path, _path.Depth - 1, mayMake: true);
            _folders.WillChange();
            Overlay.MakeOpaque(folder);
            return;
        }

        if (name.StartsWith(".wh."u8)) return; // aufs's own notes, which old images carry
        if (name.IsEmpty || name is [(byte)'.'] || name is [(byte)'.', (byte)'.']) throw ReservedName();
        var parent = _folders.Enter(_path, _path.Depth - 1, mayMake: true);
        var terminated = Terminate(name);
        _folders.WillChange();
        var result = Overlay.MakeWhiteout(parent, terminated);
        if (result == -(int)Errno.EEXIST)
        {
            // It hides lower layers' only: what this layer has of that name stays, a folder without what lies below it.
            var folder = Files.OpenFolder(parent, terminated);
            if (folder < 0) return;
            try
            {
                Overlay.MakeOpaque(folder);
            }
            finally
            {
                _ = Kernel.close(folder);
            }
        }
        else if (result < 0)
        {
            throw CannotHide(result);
        }
    }

    private static ImageException ReservedName() => new("has a name that is reserved for whiteouts, and is none");

    private static ImageException CannotHide(int result) =>
        new($"could not hide a name of the layers below: mknodat failed with {ErrnoExtensions.Describe(-result)}",
            result == -(int)Errno.EPERM ? "Character device 0:0 must be allowed: by the store's file system, and by an outer container" : null);

    private void Make(ReadOnlySpan<byte> name)
    {
        if (_tar.Type == TarEntryType.HardLink)
        {
            MakeHardLink(name);
            return;
        }

        var parent = _folders.Enter(_path, _path.Depth - 1, mayMake: true);
        switch (_tar.Type)
        {
            case TarEntryType.File:
                MakeFile(parent, name);
                break;
            case TarEntryType.Folder:
                _folders.MakeOrOpen(name);
                FinishFolder();
                break;
            case TarEntryType.SymbolicLink:
                MakeSymbolicLink(parent, name);
                break;
            default:
                MakeNode(parent, name);
                break;
        }
    }

    private void MakeFile(int parent, ReadOnlySpan<byte> name)
    {
        _folders.WillChange();
        var flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_EXCL | Linux.O_NOFOLLOW;
        var file = Files.Open(parent, name, flags, Private);
        if (file == -(int)Errno.EEXIST)
        {
            MakeWay(name);
            file = Files.Open(parent, name, flags, Private);
        }

        if (file < 0) throw ImageException.FromCall("make a file", "openat", file);
        try
        {
            if (_tar.IsSparse) WriteSparse(file);
            else WriteContent(file);
            var mode = ModeAfter(CanChangeOwner ? Files.ChangeOwner(file, User, Group) : Unchanged); // before the mode, whose set-ID bits it takes away
            SetAttributes(file);
            if (mode != Private) Check(Files.ChangeMode(file, mode), "set the mode", "fchmod");
            Check(Files.SetTime(file, _tar.ModificationSeconds, _tar.ModificationNanoseconds), "set the time", "utimensat");
        }
        finally
        {
            _ = Kernel.close(file);
        }
    }

    private void WriteContent(int file)
    {
        while (_tar.ReadContent() is { IsEmpty: false } data) Check(Files.WriteAll(file, data), "write", "write");
    }

    private void WriteSparse(int file)
    {
        foreach (var segment in _tar.Segments)
        {
            for (var done = 0L; done < segment.Length;)
            {
                var data = _tar.ReadContent(segment.Length - done);
                Check(Files.WriteAll(file, data, segment.Offset + done), "write", "pwrite64");
                done += data.Length;
            }
        }

        Check(Kernel.ftruncate(file, (nint)_tar.Size), "set the size", "ftruncate");
    }

    private void FinishFolder()
    {
        var folder = _folders.Top;
        _folders.WillChange();
        var mode = ModeAfter(CanChangeOwner ? Files.ChangeOwner(folder, User, Group) : Unchanged);
        SetAttributes(folder);
        _folders.SetMetadata(mode, _tar.ModificationSeconds, _tar.ModificationNanoseconds);
    }

    private void MakeSymbolicLink(int parent, ReadOnlySpan<byte> name)
    {
        // Where it leads to is of no interest here, as nothing is ever reached through it.
        var target = Terminate(_tar.LinkTarget);
        if (target.Length == 1 || _tar.LinkTarget.Contains((byte)0)) throw new ImageException("is a symbolic link to nothing");
        _folders.WillChange();
        var result = Files.MakeSymbolicLink(target, parent, name);
        if (result == -(int)Errno.EEXIST)
        {
            MakeWay(name);
            result = Files.MakeSymbolicLink(target, parent, name);
        }

        Check(result, "make a symbolic link", "symlinkat");
        ModeAfter(CanChangeOwner ? Files.ChangeOwner(parent, name, User, Group) : Unchanged);
        Check(Files.SetTime(parent, name, _tar.ModificationSeconds, _tar.ModificationNanoseconds), "set the time", "utimensat");
    }

    private void MakeHardLink(ReadOnlySpan<byte> name)
    {
        try
        {
            _target.Parse(_tar.LinkTarget);
        }
        catch (ImageException e)
        {
            throw new ImageException($"is another name of '{ImageException.Printable(_tar.LinkTarget)}', which {e.Message.TrimEnd('.')}", e.Hint);
        }

        if (_target.Depth == 0) throw new ImageException("is another name of the root");
        var targetParent = Kernel.fcntl(_folders.Enter(_target, _target.Depth - 1, mayMake: false), Linux.F_DUPFD_CLOEXEC);
        if (targetParent < 0) throw ImageException.FromCall("make a hard link", "fcntl", targetParent);
        try
        {
            var target = _target.Terminated(_target.Depth - 1);
            if (Files.Stat(targetParent, target, out var found) != 0 || found.IsWhiteout())
                throw new ImageException($"is another name of '{ImageException.Printable(_tar.LinkTarget)}', which is not in this layer");
            if (found.IsFolder()) throw new ImageException($"is another name of '{ImageException.Printable(_tar.LinkTarget)}', which is a folder");
            var parent = _folders.Enter(_path, _path.Depth - 1, mayMake: true);
            _folders.WillChange();
            var result = Files.Link(targetParent, target, parent, name);
            if (result == -(int)Errno.EEXIST)
            {
                MakeWay(name);
                result = Files.Link(targetParent, target, parent, name);
            }

            Check(result, "make a hard link", "linkat");
        }
        finally
        {
            _ = Kernel.close(targetParent);
        }
    }

    /// <summary>
    /// Devices and named pipes. Who may not make devices gets none, nor what a lower layer has under the name: programs
    /// find those that they need in the sandbox's own /dev.
    /// </summary>
    private void MakeNode(int parent, ReadOnlySpan<byte> name)
    {
        if (_tar.DeviceMajor is < 0 or > 0xfff || _tar.DeviceMinor is < 0 or > 0xfffff) throw new ImageException("has a device number out of range");
        var (major, minor) = ((uint)_tar.DeviceMajor, (uint)_tar.DeviceMinor);
        var (type, device) = _tar.Type switch
        {
            TarEntryType.CharacterDevice => (Linux.S_IFCHR, minor & 0xff | major << 8 | (minor & ~0xffu) << 12),
            TarEntryType.BlockDevice => (Linux.S_IFBLK, minor & 0xff | major << 8 | (minor & ~0xffu) << 12),
            _ => (Linux.S_IFIFO, 0u),
        };
        _folders.WillChange();
        var result = Files.MakeNode(parent, name, type | Private, device);
        if (result == -(int)Errno.EEXIST)
        {
            MakeWay(name);
            result = Files.MakeNode(parent, name, type | Private, device);
        }

        if (result == -(int)Errno.EPERM && type != Linux.S_IFIFO)
        {
            result = Overlay.MakeWhiteout(parent, name);
            if (result < 0) throw CannotHide(result);
            return;
        }

        Check(result, "make a device or named pipe", "mknodat");
        var mode = ModeAfter(CanChangeOwner ? Files.ChangeOwner(parent, name, User, Group) : Unchanged);
        Check(Files.ChangeMode(parent, name, mode), "set the mode", "fchmodat");
        Check(Files.SetTime(parent, name, _tar.ModificationSeconds, _tar.ModificationNanoseconds), "set the time", "utimensat");
    }

    /// <summary>A name that is taken can only be used again when all that it did was to hide one of the lower layers.</summary>
    private void MakeWay(ReadOnlySpan<byte> name)
    {
        if (!_folders.IsWhiteout(name)) throw new ImageException("comes twice in the same layer, and not as a folder both times");
        _folders.RemoveWhiteout(name);
    }

    private uint User => Id(_tar.UserId, "user");

    private uint Group => Id(_tar.GroupId, "group");

    private static uint Id(long value, string what) =>
        value is >= 0 and < uint.MaxValue ? (uint)value : throw new ImageException($"belongs to the {what} {value}, which cannot be");

    private bool CanChangeOwner => _rights.CanChangeOwner;

    /// <summary>The mode that an entry may have, depending on what became of giving it its owner.</summary>
    private uint ModeAfter(int changeOfOwner)
    {
        if (changeOfOwner == 0) return _tar.Mode;
        // EINVAL: a user namespace around us has no such user. EPERM: neither has the file system.
        if (changeOfOwner != Unchanged && changeOfOwner != -(int)Errno.EINVAL) throw ImageException.FromCall("set the owner", "fchown", changeOfOwner);
        if (_tar.Type == TarEntryType.Folder) return _tar.Mode;
        // It belongs to us. We stand for root; the rights of any other user are not to be had by running it.
        return _tar.Mode & ~((_tar.UserId != 0 ? Linux.S_ISUID : 0) | (_tar.GroupId != 0 ? Linux.S_ISGID : 0));
    }

    private void SetAttributes(int file)
    {
        var (global, local) = _tar.Records;
        SetAttributes(file, global);
        SetAttributes(file, local);
    }

    private void SetAttributes(int file, PaxRecords records)
    {
        for (var i = 0; i < records.Count; i++)
        {
            var key = records.Key(i);
            if (!key.StartsWith("SCHILY.xattr."u8)) continue;
            var name = key["SCHILY.xattr.".Length..];
            if (name.IsEmpty || name.Length > 255 || name.Contains((byte)0)) throw new ImageException("has an attribute whose name is none");
            if (Overlay.IsReserved(name)) continue;
            var result = Files.SetAttribute(file, Terminate(name), records.Value(i));
            // What this user or the store's file system has no way to keep is left out: other users' ACLs, security labels.
            if (result is 0 or -(int)Errno.EPERM or -(int)Errno.EOPNOTSUPP or -(int)Errno.EINVAL) continue;
            throw ImageException.FromCall($"set the attribute '{ImageException.Printable(name)}'", "fsetxattr", result);
        }
    }

    private ReadOnlySpan<byte> Terminate(ReadOnlySpan<byte> text)
    {
        if (text.Length > EntryPath.MaxLength) throw new ImageException($"has a link of {text.Length} bytes; {EntryPath.MaxLength} are possible");
        text.CopyTo(_text);
        _text[text.Length] = 0;
        return _text.AsSpan(0, text.Length + 1);
    }

    private static void Check(int result, string doing, string syscall)
    {
        if (result < 0) throw ImageException.FromCall(doing, syscall, result);
    }
}
