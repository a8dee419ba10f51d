using Isolation.Planning;

namespace Isolation;

/// <summary>The part of <see cref="OptionsValidator"/> that looks at the terminal.</summary>
internal static class TerminalValidator
{
    internal static void Validate(IsolationOptions options)
    {
        if (options.Terminal is null) return;
        // A tree that somebody else has prepared may have anything there, and a mount of devpts is one line away.
        if (!TerminalPlanner.HasSource(options))
            throw OptionsValidator.Invalid(nameof(options.Terminal),
                "needs a devpts in the sandbox's tree: leave Filesystem.PrivateDev on, or mount KernelMount.DevPts(\"/dev/pts\")");
    }
}
