using Isolation.Images.Interop;
using Isolation.Interop;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Images.Unpacking;

/// <summary>Which layers of an image have a part in its tree.</summary>
internal static class VisibleLayers
{
    /// <summary>Those layers of which anything can be seen: a layer that hides the root's content hides all below it.</summary>
    internal static IReadOnlyList<string> Of(string[] lowestFirst)
    {
        for (var i = lowestFirst.Length - 1; i > 0; i--)
        {
            using var root = OpenRoot(lowestFirst[i]);
            if (Overlay.IsOpaque((int)root.DangerousGetHandle())) return lowestFirst[i..];
        }

        return lowestFirst;
    }

    private static SafeFileHandle OpenRoot(string path)
    {
        var root = Files.OpenFolder(Linux.AT_FDCWD, Files.Name(path));
        return root >= 0 ? new(root, ownsHandle: true) : throw ImageException.FromCall($"open the layer '{path}'", "openat", root);
    }
}
