using Isolation.Images.Interop;
using Isolation.Interop;

namespace Isolation.Images.Unpacking;

/// <summary>
/// How overlayfs writes down that lower layers are hidden (Documentation/filesystems/overlayfs.rst): a name by a character
/// device 0:0, a folder's content by an attribute of the folder. Mounted in a user namespace, with "userxattr" (Linux 5.11),
/// it reads user.overlay.*, else trusted.overlay.*.
/// </summary>
internal static class Overlay
{
    private static ReadOnlySpan<byte> UserOpaque => "user.overlay.opaque\0"u8;

    /// <summary>Hides a name of the lower layers. An ordinary user may, since Linux 5.8.</summary>
    internal static int MakeWhiteout(int parent, ReadOnlySpan<byte> name) => Files.MakeNode(parent, name, Linux.S_IFCHR, 0);

    /// <summary>Hides what lower layers have in this folder.</summary>
    internal static void MakeOpaque(int folder)
    {
        var result = Files.SetAttribute(folder, UserOpaque, "y"u8);
        if (result < 0)
        {
            throw new ImageException($"could not hide a folder of the layers below: fsetxattr failed with {ErrnoExtensions.Describe(-result)}",
                result == -(int)Errno.EOPNOTSUPP ? "Put the store on a file system with user attributes: ext4, xfs, btrfs, or tmpfs since Linux 6.6" : null);
        }

        _ = Files.SetAttribute(folder, "trusted.overlay.opaque\0"u8, "y"u8); // only root can, and only root's mounts look for it
    }

    internal static bool IsOpaque(int folder)
    {
        Span<byte> value = stackalloc byte[1];
        return Files.GetAttribute(folder, UserOpaque, value) == 1 && value[0] == 'y';
    }

    /// <summary>An image may not bring attributes that overlayfs takes as its own: they lead to other files and layers.</summary>
    internal static bool IsReserved(ReadOnlySpan<byte> attribute) =>
        attribute.StartsWith("trusted.overlay."u8) || attribute.StartsWith("user.overlay."u8);
}
