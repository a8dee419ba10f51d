using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>What a person can do about a failure of Landlock, or by it.</summary>
internal static class LandlockHints
{
    internal static string? ForMissing(Errno errno) => errno switch
    {
        Errno.EOPNOTSUPP => "Landlock is switched off in this kernel: add it to the security modules that are started, by the boot parameter lsm=landlock,… "
            + "(/sys/kernel/security/lsm lists them), or choose LandlockEnforcement.BestEffort",
        Errno.ENOSYS => "This kernel has no Landlock (Linux 5.13 with CONFIG_SECURITY_LANDLOCK), or an outer sandbox hides it; choose LandlockEnforcement.BestEffort to go without",
        not 0 => "An outer sandbox forbids Landlock; choose LandlockEnforcement.BestEffort to go without",
        _ => null,
    };

    internal static string? ForPath(Errno errno) => errno switch
    {
        Errno.ENOENT => "There is nothing at this path inside the sandbox (private folders such as /tmp start empty); give AllowPath ignoreMissing where it need not exist",
        Errno.ENOTDIR => "A part of the path is not a folder",
        Errno.EACCES => "The sandbox's user may not go there, so a rule for it would have no use",
        Errno.ELOOP => "Links of /proc (descriptors, roots of processes), to which /dev/stdin and the like lead, are not followed; what is inherited needs no rule",
        _ => FailureHints.ForHost(errno),
    };

    internal static string? ForCall(Sys call, Errno errno) => (call, errno) switch
    {
        (Sys.landlock_add_rule, Errno.EINVAL) => "Only folders have these rights (ReadDir, Make…, Remove…, Refer), and this is a file",
        (Sys.landlock_restrict_self, Errno.E2BIG) => "Sixteen Landlock policies can be nested, and this process is below as many already",
        (Sys.landlock_restrict_self, Errno.EPERM) => "Landlock needs Security.NoNewPrivileges, or that the program keeps CAP_SYS_ADMIN in its user namespace",
        (Sys.landlock_create_ruleset, Errno.EOPNOTSUPP or Errno.ENOSYS) => ForMissing(errno),
        _ => FailureHints.ForHost(errno),
    };

    /// <summary>Why a program that its user may execute was not: null when Landlock is not the cause.</summary>
    internal static string? ForExecution(LaunchPlan plan, string path, string? interpreter)
    {
        if (plan.Landlock is not { } report || (report.HandledAccess & (LandlockAccess.Execute | LandlockAccess.ReadFile)) == 0) return null;
        var others = interpreter is null ? "the dynamic loader that it names, or the interpreter of a script" : $"its interpreter '{interpreter}', or the dynamic loader of that";
        return $"The sandbox's user may execute {path}, but Landlock does not let it, {others}: all of them need Execute and ReadFile (LandlockPolicy.AllowReadExecute)";
    }
}
