namespace Isolation.Planning;

/// <summary>
/// The host's mounts as they were at launch: wanted only where the kernel has no mount_setattr(2) (new in Linux 5.12), and a tree must be
/// restricted mount by mount.
/// </summary>
internal sealed class HostMounts
{
    private const string WayUp = "/..";

    internal HostMounts(IReadOnlyList<ListedMount> listed, int descriptor)
    {
        Descriptor = descriptor;
        Reachable = Walk(listed);
    }

    /// <summary>A descriptor of the host's, which the stage gets under the same number: by it a mount can be named that has no safe path.</summary>
    internal int Descriptor { get; }

    /// <summary>Every mount that some path leads to, by that path. What lies below another mount is none of them.</summary>
    internal IReadOnlyList<ReachableMount> Reachable { get; }

    /// <summary>What the host has found at paths that something is taken from.</summary>
    internal Dictionary<string, HostSource> Sources { get; } = new(StringComparer.Ordinal);

    /// <summary>Flags of the mount that a path without links leads into.</summary>
    internal ulong FlagsAt(string path)
    {
        var found = default(ReachableMount);
        foreach (var mount in Reachable)
            if ((mount.Path == path || IsBelow(path, mount.Path)) && (found.Path is null || mount.Path.Length >= found.Path.Length)) found = mount;
        return found.Flags;
    }

    /// <summary>The mounts below a path without links.</summary>
    internal IEnumerable<ReachableMount> Below(string path) => Reachable.Where(mount => IsBelow(mount.Path, path));

    private static bool IsBelow(string path, string folder) => folder == "/"
        ? path.Length > 1 && path != WayUp && !path.StartsWith(WayUp + "/", StringComparison.Ordinal)
        : path.Length > folder.Length && path[folder.Length] == '/' && path.StartsWith(folder, StringComparison.Ordinal);

    private static List<ReachableMount> Walk(IReadOnlyList<ListedMount> listed)
    {
        var children = listed.Where(static mount => mount.Id != mount.Parent).ToLookup(static mount => mount.Parent);
        var ids = listed.Select(static mount => mount.Id).ToHashSet();
        // In a chroot(2) to a folder that is no mount there is no root: what cannot be restricted then fails in the stage.
        var root = listed.FirstOrDefault(mount => mount.Point == "/" && (mount.Id == mount.Parent || !ids.Contains(mount.Parent)), new ListedMount(-1, -1, "/", 0));
        var found = new List<ReachableMount>();
        Visit(root, "");
        return found;

        void Visit(ListedMount mount, string prefix)
        {
            var path = mount.Point != "/" ? prefix + mount.Point : prefix.Length > 0 ? prefix : "/";
            found.Add(new ReachableMount(path, mount.Flags));
            var points = children[mount.Id].Select(static child => child.Point).ToHashSet();
            foreach (var point in points)
            {
                if (point == mount.Point)
                {
                    // On the root itself: "/" does not lead there, the way up from it does. Anything else has been left for what is on top of it.
                    if (prefix.Length == 0 && point == "/") Visit(Top(children[mount.Id].Last(child => child.Point == point)), WayUp);
                }
                else if (!IsCovered(point, mount.Point, points))
                {
                    Visit(Top(children[mount.Id].Last(child => child.Point == point)), prefix);
                }
            }
        }

        ListedMount Top(ListedMount mount)
        {
            while (children[mount.Id].LastOrDefault(child => child.Point == mount.Point) is { Point: not null } above) mount = above;
            return mount;
        }
    }

    /// <summary>Whether something else of the same mount lies over a folder that leads to the point.</summary>
    private static bool IsCovered(string point, string mount, HashSet<string> points)
    {
        for (var end = point.LastIndexOf('/'); end > mount.Length; end = point.LastIndexOf('/', end - 1))
            if (points.Contains(point[..end])) return true;
        return false;
    }
}
