namespace Isolation.Launching;

/// <summary>How a start is carried out.</summary>
/// <param name="Capture">Standard output and error become pipes where the options leave them inherited.</param>
/// <param name="Async">The end of the set-up is awaited by epoll, through a status pipe, and not on the calling thread.</param>
/// <param name="Suspended">The stage waits before it executes the program; see <see cref="PendingLaunch.Park"/>. Needs a status pipe, so that a release can be awaited either way.</param>
/// <param name="Detached">The name by which it is to be found again, when it is to outlive the host.</param>
/// <param name="Deadline">When set-up must be done, in milliseconds of <see cref="Environment.TickCount64"/>; 0: no limit.</param>
internal readonly record struct LaunchMode(bool Capture = false, bool Async = false, bool Suspended = false, string? Detached = null, long Deadline = 0)
{
    internal bool HasStatus => Async || Suspended;

    internal long EffectiveDeadline => Deadline == 0 ? long.MaxValue : Deadline;
}
