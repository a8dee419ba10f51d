using System.Text;
using Isolation.Images.Interop;
using Isolation.Images.Tar;
using Isolation.Images.Unpacking;
using Isolation.Interop;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Images.Users;

/// <summary>
/// Reads files of an image as a sandbox would see them, without mounting anything: the topmost layer that has a name decides.
/// Links are followed inside the image only.
/// </summary>
internal sealed class LayeredTree(IReadOnlyList<string> lowestFirst)
{
    private const int MaxFile = 4 << 20;
    private const int MaxLinks = 40;

    /// <summary>Those layers of which anything can be seen: a layer that hides the root's content hides all below it.</summary>
    internal static IReadOnlyList<string> Visible(string[] lowestFirst)
    {
        for (var i = lowestFirst.Length - 1; i > 0; i--)
        {
            using var root = OpenRoot(lowestFirst[i]);
            if (Overlay.IsOpaque((int)root.DangerousGetHandle())) return lowestFirst[i..];
        }

        return lowestFirst;
    }

    /// <summary>A file's content; null when there is no such file, or no ordinary one.</summary>
    internal byte[]? TryRead(string path)
    {
        var way = new List<MergedFolder>();
        try
        {
            way.Add(new MergedFolder([.. lowestFirst.Reverse().Select(OpenRoot)]));
            var rest = new Stack<string>(path.Split('/').Reverse());
            for (var links = 0; rest.TryPop(out var part);)
            {
                if (part is "" or ".") continue;
                if (part == "..")
                {
                    if (way.Count > 1) Leave(way);
                    continue;
                }

                if (part.Length > 255) return null;
                var (folder, layer) = way[^1].Find(Files.Name(part));
                if (folder is not null) way.Add(folder);
                else if (layer is null) return null;
                else if (ReadLink(layer, Files.Name(part)) is { } target)
                {
                    if (++links > MaxLinks || target.Length > EntryPath.MaxLength) return null;
                    if (target.StartsWith('/')) while (way.Count > 1) Leave(way);
                    foreach (var next in target.Split('/').Reverse()) rest.Push(next);
                }
                else
                {
                    return rest.All(static p => p is "") ? Read(layer, Files.Name(part)) : null;
                }
            }

            return null;
        }
        finally
        {
            way.ForEach(static folder => folder.Dispose());
        }
    }

    private static void Leave(List<MergedFolder> way)
    {
        way[^1].Dispose();
        way.RemoveAt(way.Count - 1);
    }

    /// <summary>Where a link leads to; null when it is none.</summary>
    private static string? ReadLink(SafeFileHandle folder, ReadOnlySpan<byte> name)
    {
        Span<byte> target = stackalloc byte[EntryPath.MaxLength + 1];
        var length = Files.ReadLink((int)folder.DangerousGetHandle(), name, target);
        return length < 0 ? null : Encoding.UTF8.GetString(target[..length]);
    }

    private static byte[]? Read(SafeFileHandle folder, ReadOnlySpan<byte> name)
    {
        var file = Files.Open((int)folder.DangerousGetHandle(), name, Linux.O_RDONLY | Linux.O_NOFOLLOW | Linux.O_NONBLOCK);
        if (file < 0) return null;
        using var handle = new SafeFileHandle(file, ownsHandle: true);
        if (Files.Stat(file, out var found) < 0 || !found.IsRegular()) return null;
        if (found.stx_size > MaxFile) throw new ImageException($"has a file of users of {found.stx_size} bytes; 4 MiB are possible");
        var content = new byte[(int)found.stx_size];
        var length = 0;
        while (length < content.Length && RandomAccess.Read(handle, content.AsSpan(length), length) is > 0 and var read) length += read;
        return content[..length];
    }

    private static SafeFileHandle OpenRoot(string path)
    {
        var root = Files.OpenFolder(Linux.AT_FDCWD, Files.Name(path));
        return root >= 0 ? new(root, ownsHandle: true) : throw ImageException.FromCall($"open the layer '{path}'", "openat", root);
    }
}
