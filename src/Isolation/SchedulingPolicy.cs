using Isolation.Interop;

namespace Isolation;

/// <summary>How the kernel chooses between programs that want the processor. sched(7).</summary>
public enum SchedulingPolicy
{
    /// <summary>SCHED_OTHER. The usual one, weighted by <see cref="SchedulingOptions.Niceness"/>.</summary>
    Other = Linux.SCHED_NORMAL,

    /// <summary>SCHED_FIFO. Real time: before all others, until it waits or gives the processor up.</summary>
    Fifo = Linux.SCHED_FIFO,

    /// <summary>SCHED_RR. Real time, and those of the same priority take turns.</summary>
    RoundRobin = Linux.SCHED_RR,

    /// <summary>SCHED_BATCH. As <see cref="Other"/>, for programs that compute and let nobody wait.</summary>
    Batch = Linux.SCHED_BATCH,

    /// <summary>SCHED_IDLE. Only what others leave.</summary>
    Idle = Linux.SCHED_IDLE,
}
