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
                if (mount is BindMount { MapsIds: true } bind) preparation.Add(Map(bind, options));
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

    /// <summary>A user namespace that maps the owner of a folder to the sandbox's user.</summary>
    private static int OwnerToUser(int tree, BindMount bind, IsolationOptions options)
    {
        var result = Kernel.statx(tree, Linux.STATX_UID | Linux.STATX_GID, out var owner);
        if (result < 0) throw LaunchFailure.Host("look at the owner of a bind mount", "statx", -result, bind.Source);
        var facts = Host.Facts(options);
        var chosen = new ChosenUser(options.User);
        var (users, groups) = (IdMap.OfUsers(options, facts), IdMap.OfGroups(options, facts));
        var user = users.ToHost(chosen.UserId ?? (users.Writer == MapWriter.Nobody ? facts.UserId : 0));
        var group = groups.ToHost(chosen.GroupId ?? (groups.Writer == MapWriter.Nobody ? facts.GroupId : 0));
        return UserNamespaceMaker.Make(new IdMapping(owner.stx_uid, user), new IdMapping(owner.stx_gid, group));
    }

    private static unsafe int Map(BindMount bind, IsolationOptions options)
    {
        const string step = "map the ids of a bind mount";
        var recursive = bind.Recursive ? Linux.AT_RECURSIVE : 0;
        var tree = Kernel.AboveStandard(Kernel.open_tree(bind.Source, (uint)(Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC | (uint)recursive)));
        if (tree < 0)
            throw LaunchFailure.Host(step, "open_tree", -tree, bind.Source, tree != -(int)Errno.EPERM ? null :
                "Mapping ids needs root (CAP_SYS_ADMIN)" + (bind.OwnedBySandboxUser ? "; what belongs to the user of this process is the sandbox's user's own without" : ""));
        var user = -1;
        try
        {
            user = bind.IdMapping is { } mapping ? UserNamespaceMaker.Make(mapping, mapping) : OwnerToUser(tree, bind, options);
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
