using System.Text;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>
/// Mounts that the host makes itself, attached nowhere, and hands to the child by descriptor, since they need rights over the
/// machine's own user namespace. Closed again when the child has its copies: what it did not use is gone with them.
/// </summary>
internal sealed class MountPreparation : IDisposable
{
    private readonly List<int> _mounts = [];

    /// <summary>See <see cref="HostFacts.RootLacksMountPoints"/>; for an image that can be told only now.</summary>
    internal bool RootLacksMountPoints { get; private set; }

    internal static MountPreparation Open(IsolationOptions options)
    {
        var preparation = new MountPreparation();
        try
        {
            var root = options.Filesystem.Root;
            if (root.Kind == RootKind.ImageFile)
            {
                var mount = preparation.Add(ImageMounter.Mount(root.Folders[0]));
                if (root.Access == RootAccess.ReadOnly)
                    preparation.RootLacksMountPoints = RootProbe.LacksMountPoints(options, Kernel.fcntl(mount, Linux.F_DUPFD_CLOEXEC, 3));
            }

            foreach (var mount in options.Filesystem.Mounts)
                if (mount is BindMount { IdMapping: { } mapping } bind) preparation.Add(Map(bind, mapping));
            return preparation;
        }
        catch
        {
            preparation.Dispose();
            throw;
        }
    }

    internal void Fill(Span<int> handles)
    {
        for (var i = 0; i < _mounts.Count; i++) handles[PlanHandle.FirstPrepared + i] = _mounts[i];
    }

    public void Dispose()
    {
        foreach (var mount in _mounts) _ = Kernel.close(mount);
        _mounts.Clear();
    }

    private int Add(int mount)
    {
        _mounts.Add(mount);
        return mount;
    }

    private static unsafe int Map(BindMount bind, IdMapping mapping)
    {
        const string step = "map the ids of a bind mount";
        var recursive = bind.Recursive ? Linux.AT_RECURSIVE : 0;
        var tree = Kernel.AboveStandard(Kernel.open_tree(bind.Source, (uint)(Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC | (uint)recursive)));
        if (tree < 0)
            throw LaunchFailure.Host(step, "open_tree", -tree, bind.Source, tree == -(int)Errno.EPERM ? "Mapping ids needs root (CAP_SYS_ADMIN)" : null);
        var user = -1;
        try
        {
            user = UserNamespaceMaker.Make(mapping);
            var attributes = new mount_attr { attr_set = Linux.MOUNT_ATTR_IDMAP, userns_fd = (ulong)user };
            var result = Host.LacksMountSetattr ? -(int)Errno.ENOSYS : Kernel.mount_setattr(tree, (uint)(Linux.AT_EMPTY_PATH | recursive), &attributes);
            if (result == 0) return tree;
            throw LaunchFailure.Host(step, "mount_setattr", -result, bind.Source, (Errno)(-result) switch
            {
                Errno.EPERM => "Mapping ids needs root over the file system: it cannot be done for file systems that a user namespace has mounted",
                Errno.EINVAL => "This file system cannot map ids on this kernel (ext4 and xfs can since 5.12, btrfs 5.15, tmpfs 6.3, overlayfs cannot), or its ids are mapped already",
                Errno.ENOSYS => "Mapping ids needs Linux 5.12",
                _ => null,
            });
        }
        catch
        {
            _ = Kernel.close(tree);
            throw;
        }
        finally
        {
            if (user >= 0) _ = Kernel.close(user);
        }
    }
}
