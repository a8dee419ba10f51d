using Isolation.Filtering;
using Isolation.Interop;
using Isolation.Stage;

namespace Isolation.Planning;

/// <summary>seccomp(2): the filter over the program's syscalls.</summary>
internal static class SeccompPlanner
{
    internal const string Label = "filter the program's syscalls";

    /// <summary>
    /// Without no_new_privs a filter needs CAP_SYS_ADMIN, so it cannot wait until ids have changed and capabilities are gone;
    /// what has to be done after it, the filter must allow. Beside it an init is under the filter, too.
    /// </summary>
    internal static void FilterEarly(LaunchPlan plan, IsolationOptions options)
    {
        if (!options.Security.NoNewPrivileges) Filter(plan, options);
    }

    /// <summary>The last step before the program is executed: what the filter forbids, a later step could not do.</summary>
    internal static void FilterLate(LaunchPlan plan, IsolationOptions options)
    {
        if (options.Security.NoNewPrivileges) Filter(plan, options);
    }

    /// <summary>The filter of a sandbox, or null when it has none. In steady state it is there already.</summary>
    internal static CompiledFilter? Compile(IsolationOptions options) => options.Security.Seccomp?.Compile(KeptCapabilities(options.Security));

    /// <summary>Those that the program, or without no_new_privs what it executes, can have.</summary>
    private static ulong KeptCapabilities(SecurityOptions security) =>
        (ulong)(security.NoNewPrivileges ? security.Capabilities.Permitted : security.Capabilities.Bounding);

    private static void Filter(LaunchPlan plan, IsolationOptions options)
    {
        if (Compile(options) is not { } filter) return;
        var profile = options.Security.Seccomp!;
        (plan.Enforced.Profile, plan.Enforced.Filter) = (profile, filter);
        var flags = (profile.LogsDenials ? Linux.SECCOMP_FILTER_FLAG_LOG : 0) | (profile.AllowsSpeculation ? Linux.SECCOMP_FILTER_FLAG_SPEC_ALLOW : 0);
        if (!SyscallSupervision.IsWanted(options.Security, filter))
        {
            plan.Add(Install(plan, filter.Code, flags));
            return;
        }

        var supervision = new SyscallSupervision(filter, options.Security, failure => Log.HandlerFailed(options.Logger, options.FileName, failure));
        plan.Ask("have the host ready to take the filter's listener", null, new ListenerQuestion(supervision, plan.Steps.Length + 1));
        plan.Add(Install(plan, supervision.Code(), flags | Linux.SECCOMP_FILTER_FLAG_NEW_LISTENER).To(plan.NewRegister()));
        plan.Add(LaunchPlan.Syscall(Sys.seccomp, "wait until the host listens", null, SyscallSupervision.Fence));
    }

    private static Step Install(LaunchPlan plan, ReadOnlySpan<byte> filter, uint flags)
    {
        plan.Enforced.FilterLength = filter.Length / CompiledFilter.InstructionSize;
        var code = plan.Bytes(filter);
        return LaunchPlan.Syscall(Sys.seccomp, Label, null, Linux.SECCOMP_SET_MODE_FILTER, flags,
            plan.Struct(new sock_fprog { len = (ushort)(filter.Length / CompiledFilter.InstructionSize), filter = StageFormat.DataPointer((int)code.Value) }));
    }
}
