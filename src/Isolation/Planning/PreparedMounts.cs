namespace Isolation.Planning;

/// <summary>Which mounts only the host can make, with rights that the sandbox's user namespace does not have: an image's file system, and mapped ids.</summary>
internal static class PreparedMounts
{
    internal static bool Any(IsolationOptions options)
    {
        if ((options.MadeNamespaces & Namespaces.Mount) == 0) return false;
        if (options.Filesystem.Root.Kind == RootKind.ImageFile) return true;
        foreach (var mount in options.Filesystem.Mounts)
            if (mount is BindMount { MapsIds: true }) return true;
        return false;
    }

    /// <summary>The root's image is the first, if there is one; the others follow in their order.</summary>
    internal static int Handle(IsolationOptions options, BindMount? bind)
    {
        var handle = PlanHandle.FirstPrepared;
        if (bind is null) return handle;
        if (options.Filesystem.Root.Kind == RootKind.ImageFile) handle++;
        foreach (var mount in options.Filesystem.Mounts)
        {
            if (ReferenceEquals(mount, bind)) break;
            if (mount is BindMount { MapsIds: true }) handle++;
        }

        return handle;
    }
}
