using Isolation.Interop;

namespace Isolation;

/// <summary>How the kernel chooses between programs that want a disk. ioprio_set(2).</summary>
public enum IOPriorityClass
{
    /// <summary>IOPRIO_CLASS_RT. Before all others.</summary>
    RealTime = Linux.IOPRIO_CLASS_RT,

    /// <summary>IOPRIO_CLASS_BE. The usual one.</summary>
    BestEffort = Linux.IOPRIO_CLASS_BE,

    /// <summary>IOPRIO_CLASS_IDLE. Only what others leave.</summary>
    Idle = Linux.IOPRIO_CLASS_IDLE,
}
