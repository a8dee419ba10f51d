using Isolation.Planning;

namespace Isolation;

/// <summary>Finds profiles under which no program could be started, before anything is created.</summary>
internal static class SeccompValidator
{
    private const string Option = nameof(SecurityOptions.Seccomp);

    internal static void Validate(IsolationOptions options)
    {
        if (SeccompPlanner.Compile(options) is not { } filter) return;
        if (!filter.MayExecute) throw OptionsValidator.Invalid(Option, "forbids execve, with which the program itself is started");
        // The stage would try for ever.
        if (!filter.MayExit) throw OptionsValidator.Invalid(Option, "has exit_group fail, with which every process ends");
    }
}
