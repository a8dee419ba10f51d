namespace Isolation;

/// <summary>A program's claim on disks, as far as the disk's scheduler (BFQ, mq-deadline) minds it. ioprio_set(2).</summary>
/// <param name="Class">Which kind.</param>
/// <param name="Level">0, the most, to 7, the least; without a meaning for <see cref="IOPriorityClass.Idle"/>. Default: 4.</param>
public readonly record struct IOPriority(IOPriorityClass Class, int Level = 4);
