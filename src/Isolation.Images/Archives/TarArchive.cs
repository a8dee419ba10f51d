using System.Text;
using Isolation.Images.Tar;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Images.Archives;

/// <summary>An image in a tar archive. Its files are found once and then read where they are; nothing is unpacked.</summary>
internal sealed class TarArchive : ImageArchive
{
    private const int MaxEntries = 100_000;
    private const int MaxLinks = 8;

    private readonly SafeFileHandle _file;
    private readonly Dictionary<string, (long Start, long Length)> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);

    /// <summary>Takes the file over, even when it throws.</summary>
    internal TarArchive(SafeFileHandle file, CancellationToken cancellationToken)
    {
        _file = file;
        try
        {
            Index(cancellationToken);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    internal override FileSlice? TryOpen(string name)
    {
        var path = Resolve("", name);
        for (var i = 0; i < MaxLinks; i++)
        {
            if (_files.TryGetValue(path, out var found)) return new FileSlice(_file, found.Start, found.Length, ownsFile: false);
            // Old versions of docker, and programs that write as they do, store a layer once and link to it.
            if (!_links.TryGetValue(path, out var target)) return null;
            path = target;
        }

        throw new ImageException($"'{ImageException.Printable(name)}' is a link in a circle");
    }

    public override void Dispose() => _file.Dispose();

    private void Index(CancellationToken cancellationToken)
    {
        var length = RandomAccess.GetLength(_file);
        var tar = new TarReader(new FileTarSource(_file, length));
        while (tar.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                Add(tar, length);
            }
            catch (ImageException e) when (e.InEntry(tar.Name))
            {
            }
        }
    }

    private void Add(TarReader tar, long length)
    {
        if (tar.Type is not (TarEntryType.File or TarEntryType.SymbolicLink or TarEntryType.HardLink)) return;
        var name = Resolve("", Encoding.UTF8.GetString(tar.Name));
        if (_files.ContainsKey(name) || _links.ContainsKey(name)) throw new ImageException("comes twice");
        if (_files.Count + _links.Count >= MaxEntries) throw new ImageException($"is one of more than {MaxEntries} files", "That is no image");
        if (tar.Type != TarEntryType.File)
        {
            var folder = tar.Type == TarEntryType.SymbolicLink ? name[..(name.LastIndexOf('/') + 1)] : "";
            _links.Add(name, Resolve(folder, Encoding.UTF8.GetString(tar.LinkTarget)));
            return;
        }

        if (tar.IsSparse) throw new ImageException("is a sparse file, which is not supported here", "Make the archive without (tar: no --sparse)");
        if (tar.StoredSize > length - tar.Position) throw TarSource.Truncated();
        _files.Add(name, (tar.Position, tar.StoredSize));
    }

    /// <summary>A name from the archive's root, without dots; a link may go up, though not out.</summary>
    private static string Resolve(string folder, string name)
    {
        if (name.StartsWith('/')) throw new ImageException($"'{ImageException.Printable(name)}' is an absolute name");
        var parts = new List<string>();
        foreach (var part in (folder + name).Split('/'))
        {
            if (part.Length == 0 || part == ".") continue;
            if (part != "..") parts.Add(part);
            else if (parts.Count > 0 && folder.Length > 0) parts.RemoveAt(parts.Count - 1);
            else throw new ImageException($"'{ImageException.Printable(name)}' lies outside the archive");
        }

        return string.Join('/', parts);
    }
}
