using System.Globalization;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>prlimit(2) and the choice of the kernel when memory is short.</summary>
internal static class LimitPlanner
{
    internal const string WriteScore = "write the score for when memory is short";

    private const string Label = "set a resource limit";

    /// <summary>More descriptors than the set-up has, and than the program can be handed.</summary>
    private const ulong ManyFiles = 4096;

    /// <summary>While /proc is there and can be written: the file belongs to whoever the process is.</summary>
    internal static void AdjustOomScore(LaunchPlan plan, IsolationOptions options)
    {
        if (options.Limits.OomScoreAdjustment is not { } score) return;
        const string path = "/proc/self/oom_score_adj";
        var content = score.ToString(CultureInfo.InvariantCulture);
        plan.Add(LaunchPlan.Syscall(Sys.openat, "open the score for when memory is short", path, Linux.AT_FDCWD, plan.Text(path), Linux.O_WRONLY | Linux.O_CLOEXEC)
            .To(LaunchPlan.Scratch));
        plan.Add(LaunchPlan.Syscall(Sys.write, WriteScore, content, Argument.Register(LaunchPlan.Scratch), plan.Text(content), content.Length));
        // A mount with a file open for writing cannot be made read-only.
        plan.Add(LaunchPlan.Syscall(Sys.close, "close the score for when memory is short", path, Argument.Register(LaunchPlan.Scratch)));
    }

    /// <summary>While there are capabilities, as raising a hard limit takes one. The set-up still opens files, so that limit is only raised.</summary>
    internal static void Set(LaunchPlan plan, IsolationOptions options)
    {
        for (var limit = (ResourceLimit)0; limit <= LimitOptions.Last; limit++)
        {
            if (options.Limits[limit] is not { } range) continue;
            if (limit != ResourceLimit.OpenFiles) Set(plan, limit, range);
            // Refused or not, the step that counts comes at the end.
            else if (range.Hard >= ManyFiles) plan.Add(Step(plan, limit, range.Hard).Tolerate(Errno.EPERM));
        }
    }

    internal static void SetOpenFiles(LaunchPlan plan, IsolationOptions options)
    {
        if (options.Limits[ResourceLimit.OpenFiles] is { } range) Set(plan, ResourceLimit.OpenFiles, range);
    }

    private static void Set(LaunchPlan plan, ResourceLimit limit, LimitRange range) => plan.Add(Step(plan, limit, range));

    private static Step Step(LaunchPlan plan, ResourceLimit limit, LimitRange range) =>
        LaunchPlan.Syscall(Sys.prlimit64, Label, $"{limit}: {range}", 0, (int)limit, plan.Struct(new rlimit64 { rlim_cur = range.Soft, rlim_max = range.Hard }), 0);
}
