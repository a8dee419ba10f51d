namespace Isolation.Planning;

/// <summary>
/// Whose a place in the sandbox's tree is, by its path: the sandbox's own, where folders and files can be made as needed, or the
/// host's, where nothing must be left behind.
/// </summary>
internal static class Ownership
{
    /// <summary>The place of a mount, among what is there when its turn comes.</summary>
    internal static bool IsOwn(IsolationOptions options, int index)
    {
        var filesystem = options.Filesystem;
        var target = filesystem.Mounts[index].Target;
        for (var i = index - 1; i >= 0; i--)
        {
            var earlier = filesystem.Mounts[i];
            if (IsBelow(target, earlier.Target) && earlier is BindMount or TmpfsMount or OverlayMount or KernelMount or ProcMount) return earlier is TmpfsMount or OverlayMount;
        }

        if (filesystem.PrivateDev && IsBelow(target, "/dev")) return true;
        if (filesystem.Root.Access == RootAccess.CopyOnWrite) return true;
        if (filesystem.PrivateTmp && (IsBelow(target, "/tmp") || IsBelow(target, "/var/tmp")) || filesystem.PrivateRun && IsBelow(target, "/run")) return true;
        return !filesystem.Root.IsHost;
    }

    /// <summary>Whether the program may write around the place, and what it writes is the host's.</summary>
    internal static bool IsHostsAndWritable(IsolationOptions options, int index)
    {
        var filesystem = options.Filesystem;
        var target = filesystem.Mounts[index].Target;
        for (var i = index - 1; i >= 0; i--)
        {
            var earlier = filesystem.Mounts[i];
            if (IsBelow(target, earlier.Target) && earlier is BindMount or TmpfsMount or OverlayMount or KernelMount or ProcMount) return earlier is BindMount { Writable: true };
        }

        if (filesystem.Root.Access != RootAccess.Writable || filesystem.Root.Kind == RootKind.Empty) return false;
        return !filesystem.Root.IsHost || !IsOwn(options, index);
    }

    /// <summary>Whether the place is in the root itself, and not in something that is mounted before.</summary>
    internal static bool IsOfRoot(IsolationOptions options, int index)
    {
        var filesystem = options.Filesystem;
        var target = filesystem.Mounts[index].Target;
        for (var i = 0; i < index; i++)
            if (IsBelow(target, filesystem.Mounts[i].Target) && filesystem.Mounts[i] is BindMount or TmpfsMount or OverlayMount or KernelMount or ProcMount) return false;
        if (filesystem.PrivateDev && IsBelow(target, "/dev") || filesystem.PrivateTmp && IsBelow(target, "/tmp")) return false;
        return true;
    }

    private static bool IsBelow(string path, string folder) =>
        path.Length > folder.Length && path[folder.Length] == '/' && path.StartsWith(folder, StringComparison.Ordinal);
}
