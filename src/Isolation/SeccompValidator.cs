using Isolation.Filtering;
using Isolation.Planning;

namespace Isolation;

/// <summary>Finds profiles under which no program could be started, before anything is created.</summary>
internal static class SeccompValidator
{
    private const string Option = nameof(SecurityOptions.Seccomp);

    internal static void Validate(IsolationOptions options)
    {
        var security = options.Security;
        if (SeccompPlanner.Compile(options) is not { } filter)
        {
            if (security.SyscallHandler is not null) throw OptionsValidator.Invalid(nameof(security.SyscallHandler), "has no profile in Seccomp that would bring calls to it");
            if (security.DenialReporter is not null) throw OptionsValidator.Invalid(nameof(security.DenialReporter), "has no profile in Seccomp whose refusals it could be told of");
            return;
        }

        if (filter.Notifies && security.SyscallHandler is null) throw OptionsValidator.Invalid(Option, "notifies a handler, and SyscallHandler is null");
        if (!filter.Notifies && security.SyscallHandler is not null)
            throw OptionsValidator.Invalid(nameof(security.SyscallHandler), "is never asked: no rule of the profile in Seccomp has SeccompAction.Notify");
        if (SyscallSupervision.IsWanted(security, filter) && !security.NoNewPrivileges)
            throw OptionsValidator.Invalid(nameof(security.NoNewPrivileges), "must be on where syscalls are brought to the host: without it the filter is in place during the set-up, whose calls nobody answers");
        if (!filter.MayExecute) throw OptionsValidator.Invalid(Option, "forbids execve, with which the program itself is started");
        // The stage would try for ever.
        if (!filter.MayExit) throw OptionsValidator.Invalid(Option, "has exit_group fail, with which every process ends");
    }
}
