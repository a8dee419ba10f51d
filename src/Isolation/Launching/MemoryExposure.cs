using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>
/// Between clone and exec a child shares the host's memory. Who may not look into the host may not look into such a child, with one exception:
/// user_namespaces(7) gives a user every capability in the user namespaces that this user has made. So a program that runs as a privileged
/// host's user, without the host's privileges, but in its user namespace and with its PIDs in view, could reach the host's memory through each child that
/// is born in a user namespace of its own. ptrace(2): not if that memory is not dumpable.
/// </summary>
internal static class MemoryExposure
{
    private const int NotDumpable = 0, Dumpable = 1; // prctl(2), PR_SET_DUMPABLE

    private static readonly Lock s_gate = new();
    private static volatile int s_programs;
    private static bool s_changed;

    /// <summary>There is such a program, or has been one. It can trace stages as well, and must not keep the memory that the next plan is told in.</summary>
    internal static bool IsThere => s_programs > 0;

    /// <summary>
    /// Whether a program with these options could look. One that keeps CAP_SYS_PTRACE can trace the host itself, and nothing is gained by hiding.
    /// </summary>
    internal static bool IsCausedBy(IsolationOptions options, in HostFacts facts) =>
        facts.Capabilities != 0 && (options.Namespaces & (Namespaces.User | Namespaces.Pid)) == 0 &&
        !(facts.Has(Linux.CAP_SYS_PTRACE) && (options.Security.Capabilities.Permitted & Capabilities.SysPTrace) != 0);

    /// <summary>
    /// Before the first of them starts, and for good: outside a PID namespace nobody knows what a program has left behind. This process then leaves no
    /// core dump, and only who has CAP_SYS_PTRACE can trace it.
    /// </summary>
    internal static void Prevent()
    {
        lock (s_gate)
        {
            if (s_programs == 0 && Kernel.prctl(Linux.PR_GET_DUMPABLE) == Dumpable)
            {
                var result = Kernel.prctl(Linux.PR_SET_DUMPABLE, NotDumpable);
                if (result < 0) throw LaunchFailure.Host("keep the program out of the host's memory", "prctl", -result);
                s_changed = true;
            }

            s_programs++;
        }
    }

    /// <summary>A start that has failed: there was no program.</summary>
    internal static void Undo()
    {
        lock (s_gate)
        {
            if (--s_programs > 0 || !s_changed) return;
            _ = Kernel.prctl(Linux.PR_SET_DUMPABLE, Dumpable);
            s_changed = false;
        }
    }
}
