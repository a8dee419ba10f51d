using Isolation.Launching;
using Microsoft.Extensions.Logging;

namespace Isolation.Supervision;

/// <summary>What a successful launch hands over; the receiver owns the descriptors, the guard's slot and the arena.</summary>
/// <param name="ProcessId">The sandbox's first process, as the host sees it.</param>
/// <param name="InnerProcessId">The program, as it sees itself.</param>
/// <param name="Pidfd">Of the direct child, whose end is the end of the sandbox: the first process, or the monitor.</param>
/// <param name="InnerPidfd">Of the first process when the direct child is a monitor, else -1.</param>
/// <param name="Slot">The parent-exit guard's entry, or -1.</param>
/// <param name="OwnsPidNamespace">The end of the first process ends everything inside.</param>
/// <param name="HasInit">The first process is an init, and the program its child.</param>
/// <param name="IsSupervised">A stage stays as init or monitor, and reports into the arena how the program ended.</param>
/// <param name="Arena">Where a supervising stage leaves the exit report, or the start that is still to be finished has its plan; else null.</param>
/// <param name="Parked">The start that is still to be finished when the program is suspended, else null.</param>
/// <param name="Entry">By which other apps find a detached program, else null.</param>
/// <param name="Started">When the start began, in milliseconds of <see cref="Environment.TickCount64"/>.</param>
/// <param name="Logger">The user's logger.</param>
/// <param name="Name">The program.</param>
/// <param name="IsFound">Somebody else has started it: it is no child of this process.</param>
internal readonly record struct LaunchedProcess(
    int ProcessId,
    int InnerProcessId,
    int Pidfd,
    int InnerPidfd,
    int Slot,
    bool OwnsPidNamespace,
    bool HasInit,
    bool IsSupervised,
    LaunchArena? Arena,
    PendingLaunch? Parked,
    DetachedEntry? Entry,
    long Started,
    ILogger? Logger,
    string Name,
    bool IsFound = false);
