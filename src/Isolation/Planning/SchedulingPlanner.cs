using System.Globalization;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>sched(7), ioprio_set(2): the program's share of processors and disks. An init has the same.</summary>
internal static class SchedulingPlanner
{
    /// <summary>While there are capabilities, as claims on more than the host has take some.</summary>
    internal static void Set(LaunchPlan plan, IsolationOptions options)
    {
        var scheduling = options.Scheduling;
        if (scheduling.Policy is { } policy)
        {
            var priority = policy is SchedulingPolicy.Fifo or SchedulingPolicy.RoundRobin ? scheduling.RealTimePriority ?? 1 : 0;
            plan.Add(LaunchPlan.Syscall(Sys.sched_setscheduler, "set the scheduling policy", policy.ToString(), 0, (int)policy, plan.Struct(priority)));
        }

        if (scheduling.Niceness is { } niceness)
            plan.Add(LaunchPlan.Syscall(Sys.setpriority, "set the niceness", niceness.ToString(CultureInfo.InvariantCulture), Linux.PRIO_PROCESS, 0, niceness));
        if (scheduling.IOPriority is { } disk)
            plan.Add(LaunchPlan.Syscall(Sys.ioprio_set, "set the disk priority", disk.ToString(), Linux.IOPRIO_WHO_PROCESS, 0,
                (int)disk.Class << Linux.IOPRIO_CLASS_SHIFT | (disk.Class == IOPriorityClass.Idle ? 0 : disk.Level)));
        if (scheduling.Processors is { } processors) SetAffinity(plan, processors);
    }

    private static void SetAffinity(LaunchPlan plan, IReadOnlyCollection<int> processors)
    {
        Span<byte> mask = stackalloc byte[1024];
        mask.Clear();
        var last = 0;
        foreach (var number in processors)
        {
            mask[number / 8] |= (byte)(1 << number % 8);
            last = Math.Max(last, number);
        }

        // In whole words; the kernel takes what is missing for zeros.
        mask = mask[..(last / 64 * 8 + 8)];
        plan.Add(LaunchPlan.Syscall(Sys.sched_setaffinity, "choose the processors", string.Join(',', processors), 0, mask.Length, plan.Bytes(mask)));
    }
}
