using Isolation.Images.Interop;
using Isolation.Images.Unpacking;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Images.Users;

/// <summary>A folder of an image: the folders of that name in those layers that take part in it, topmost first, which it owns.</summary>
internal sealed class MergedFolder(SafeFileHandle[] topmostFirst) : IDisposable
{
    /// <summary>What a name stands for: a folder, or the layer's folder in which there is something else; neither when there is nothing.</summary>
    internal (MergedFolder? Folder, SafeFileHandle? Layer) Find(byte[] name)
    {
        var merged = new List<SafeFileHandle>();
        foreach (var layer in topmostFirst)
        {
            var parent = (int)layer.DangerousGetHandle();
            if (Files.Stat(parent, name, out var found) < 0) continue;
            if (!found.IsFolder())
            {
                // Below a folder, it is hidden by it.
                if (merged.Count == 0 && !found.IsWhiteout()) return (null, layer);
                break;
            }

            var folder = Files.OpenFolder(parent, name);
            if (folder < 0) break;
            merged.Add(new SafeFileHandle(folder, ownsHandle: true));
            if (Overlay.IsOpaque(folder)) break;
        }

        return (merged.Count > 0 ? new MergedFolder([.. merged]) : null, null);
    }

    public void Dispose()
    {
        foreach (var folder in topmostFirst) folder.Dispose();
    }
}
