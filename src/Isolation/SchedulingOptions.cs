namespace Isolation;

/// <summary>How the program and all that it starts share processors and disks with others. In place before the program is.</summary>
/// <remarks>
/// Any program may give way. To claim more than the host itself has (a lower niceness, a real-time policy, real-time disk priority) takes
/// CAP_SYS_NICE on the host, for disks CAP_SYS_ADMIN as well, and a sandbox without a user namespace, over which such a claim would
/// go; or, for niceness and policy, limits of the host that allow it (RLIMIT_NICE, RLIMIT_RTPRIO). Otherwise the start fails with EPERM or EACCES.
/// What is chosen here the program can change as far as it may: it is no limit.
/// </remarks>
public sealed class SchedulingOptions
{
    private const int MaxProcessor = 8191; // CONFIG_NR_CPUS goes no further

    /// <summary>The policy. Default: null, that of the thread that starts the program.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such policy.</exception>
    public SchedulingPolicy? Policy
    {
        get;
        set => field = value is null || Enum.IsDefined(value.Value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "There is no such policy.");
    }

    /// <summary>Among real-time programs, 1 to 99, where more goes first. Default: null, which is 1. Only with a real-time policy.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    public int? RealTimePriority
    {
        get;
        set => field = value is null or (>= 1 and <= 99) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "It is 1 to 99.");
    }

    /// <summary>-20, the most, to 19, the least of the processor. Default: null, that of the thread that starts the program. nice(2).</summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    public int? Niceness
    {
        get;
        set => field = value is null or (>= -20 and <= 19) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "It is -20 to 19.");
    }

    /// <summary>The claim on disks. Default: null, that of the host.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class or level.</exception>
    public IOPriority? IOPriority
    {
        get;
        set => field = value is null || Enum.IsDefined(value.Value.Class) && value.Value.Level is >= 0 and <= 7
            ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "The class is one that there is, and the level 0 to 7.");
    }

    /// <summary>
    /// The numbers of the processors that the program may run on; those that the machine or the host's control group lacks do not count. Default:
    /// null, those of the thread that starts the program. sched_setaffinity(2).
    /// </summary>
    /// <exception cref="ArgumentException">There is no number in it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative or beyond 8191.</exception>
    public IReadOnlyCollection<int>? Processors
    {
        get;
        set
        {
            if (value is { Count: 0 }) throw new ArgumentException("There must be a processor to run on; null is for all that the host has.", nameof(value));
            foreach (var number in value ?? [])
                if (number is < 0 or > MaxProcessor) throw new ArgumentOutOfRangeException(nameof(value), number, $"Processors have the numbers 0 to {MaxProcessor}.");
            field = value is null ? null : [.. value];
        }
    }

    internal void Validate()
    {
        if (RealTimePriority is not null && Policy is not (SchedulingPolicy.Fifo or SchedulingPolicy.RoundRobin))
            throw OptionsValidator.Invalid(nameof(IsolationOptions.Scheduling), "has a RealTimePriority, which needs SchedulingPolicy.Fifo or RoundRobin");
    }
}
