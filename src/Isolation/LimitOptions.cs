namespace Isolation;

/// <summary>
/// What each process of the sandbox may use. What all of them may use together is not limited here; without an entry the host's own
/// limit holds, for core dumps as well.
/// </summary>
public sealed class LimitOptions
{
    private const int Count = 16;

    private static readonly LimitRange?[] s_none = new LimitRange?[Count];

    /// <summary>A limit of each process; null, the default, for that of the host.</summary>
    /// <remarks>
    /// A hard limit above the host's own needs CAP_SYS_RESOURCE on the host and a sandbox without a user namespace; otherwise the start
    /// fails with EPERM. In place before the program is; it cannot raise the hard ones.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">No limit of this name, or a soft limit above the hard one.</exception>
    public LimitRange? this[ResourceLimit limit]
    {
        get => Ranges[Index(limit)];
        set
        {
            if (value is { } range && range.Soft > range.Hard) throw new ArgumentOutOfRangeException(nameof(value), value, "The soft limit is above the hard one.");
            var ranges = (LimitRange?[])Ranges.Clone();
            ranges[Index(limit)] = value;
            Ranges = ranges;
            Version++;
        }
    }

    /// <summary>
    /// Who is to be killed first when memory is short: -1000 (never) to 1000 (first). Default: null, the host's own. Less than the host's own needs
    /// CAP_SYS_RESOURCE on the host and a sandbox without a user namespace. proc_pid_oom_score_adj(5).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    public int? OomScoreAdjustment
    {
        get;
        set
        {
            field = value is null or (>= -1000 and <= 1000) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "It is -1000 to 1000.");
            Version++;
        }
    }

    /// <summary>Another one after every change.</summary>
    internal int Version { get; private set; }

    internal LimitOptions Copy() => (LimitOptions)MemberwiseClone();

    /// <summary>These, and for the rest those of a sandbox that is entered.</summary>
    internal LimitOptions Over(LimitOptions sandbox)
    {
        var result = Copy();
        result.Ranges = [.. Ranges.Select((range, i) => range ?? sandbox.Ranges[i])];
        result.OomScoreAdjustment ??= sandbox.OomScoreAdjustment;
        return result;
    }

    /// <summary>By <see cref="ResourceLimit"/>. Never changed, but exchanged: who has it knows what was in force.</summary>
    internal LimitRange?[] Ranges { get; private set; } = s_none;

    internal static ResourceLimit Last => (ResourceLimit)(Count - 1);

    private static int Index(ResourceLimit limit) =>
        (uint)limit < Count ? (int)limit : throw new ArgumentOutOfRangeException(nameof(limit), limit, "There is no such limit.");
}
