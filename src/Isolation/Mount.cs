namespace Isolation;

/// <summary>
/// One thing that is put into the sandbox's tree. Its place is looked up inside the sandbox's root by descriptor, so no link
/// in the root leads out of it. Folders on the way are made where the tree is the sandbox's own.
/// </summary>
public abstract class Mount
{
    private protected Mount(string target)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        if (!target.StartsWith('/')) throw new ArgumentException($"The place of a mount must be an absolute path inside the sandbox, not '{target}'.", nameof(target));
        if (target.Contains('\0')) throw new ArgumentException("The place of a mount must not contain a NUL character.", nameof(target));
        var parts = target.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(static part => part != ".").ToArray();
        if (parts.Contains("..")) throw new ArgumentException($"The place of a mount must be named without '..', unlike '{target}'.", nameof(target));
        if (parts.Length == 0) throw new ArgumentException("The root itself is no place for a mount; it is set by Filesystem.Root.", nameof(target));
        if (parts.Length > MaxDepth) throw new ArgumentException($"The place of a mount can be {MaxDepth} folders deep, not {parts.Length}.", nameof(target));
        // Whoever could put files there could fake what the kernel says about processes (CVE-2019-16884).
        if (parts[0] == "proc" && (parts.Length > 1 || this is not ProcMount))
            throw new ArgumentException($"Nothing but a procfs can be mounted at /proc, and nothing inside it: '{target}'.", nameof(target));
        Target = "/" + string.Join('/', parts);
    }

    /// <summary>Each folder that may have to be made takes two steps of a plan, and no more than 255 can be passed over at once.</summary>
    internal const int MaxDepth = 100;

    /// <summary>Where it appears: an absolute path inside, at most 100 folders deep.</summary>
    public string Target { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{GetType().Name} {Target}";
}
