using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>
/// Looks whether a folder that is to be a read-only root has a place for everything. If it changes before the stage gets there, the start
/// fails; it is never written to.
/// </summary>
internal static class RootProbe
{
    internal static bool LacksMountPoints(IsolationOptions options)
    {
        var root = options.Filesystem.Root;
        if (root is not { Kind: RootKind.Directory, Access: RootAccess.ReadOnly } || (options.MadeNamespaces & Namespaces.Mount) == 0) return false;
        var folder = Kernel.open(root.Folders[0], Linux.O_PATH);
        return folder >= 0 && LacksMountPoints(options, folder); // else the stage will say why
    }

    /// <summary>The same for a file system that is held by descriptor, which is closed.</summary>
    internal static bool LacksMountPoints(IsolationOptions options, int folder)
    {
        try
        {
            foreach (var place in MountPlanner.Places(options))
            {
                var found = -(int)Errno.EAGAIN;
                for (var tries = PlacePlanner.Patience; found == -(int)Errno.EAGAIN && tries > 0; tries--)
                    found = Kernel.openat2(folder, place, Linux.O_PATH, PlacePlanner.Inside);
                if (found >= 0) _ = Kernel.close(found);
                else if (found == -(int)Errno.ENOENT) return true;
            }

            return false;
        }
        finally
        {
            _ = Kernel.close(folder);
        }
    }
}
