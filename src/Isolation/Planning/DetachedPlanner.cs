using Isolation.Interop;
using Isolation.Stage;

namespace Isolation.Planning;

/// <summary>A program that is to outlive the host and can be found again: its monitor says who it is, and keeps nothing of the host.</summary>
internal static class DetachedPlanner
{
    /// <summary>Where the record's text of the monitor lies in the plan's data.</summary>
    private static unsafe int MonitorOffset
    {
        get
        {
            DetachedRecord record = default;
            return (int)((byte*)&record.Monitor - (byte*)&record);
        }
    }

    /// <summary>The very first data.</summary>
    internal static void Record(LaunchPlan plan, in DetachedRecord record) => plan.Struct(record);

    internal static unsafe void Introduce(LaunchPlan plan)
    {
        const string path = "/proc/self/stat", label = "say who the monitor is";
        const byte register = LaunchPlan.Scratch;
        plan.Add(LaunchPlan.Syscall(Sys.chdir, "leave the host's working directory", "/", plan.Text("/")));
        plan.Add(LaunchPlan.Syscall(Sys.openat, label, path, Linux.AT_FDCWD, plan.Text(path), Linux.O_RDONLY | Linux.O_CLOEXEC).To(register));
        plan.Add(LaunchPlan.Syscall(Sys.read, label, path, Argument.Register(register), new Argument(ArgumentKind.Bytes, (ulong)MonitorOffset),
            sizeof(DetachedRecord.StatText) - 1));
        plan.Add(LaunchPlan.Syscall(Sys.close, label, path, Argument.Register(register)));
    }
}
