using Isolation.Interop;

namespace Isolation.Launching;

/// <summary>What a person can do when namespaces cannot be joined.</summary>
internal static class JoinHints
{
    internal const string Ended = "The sandbox has ended, and its namespaces with it";

    internal static string? ForCall(Errno errno) => errno switch
    {
        Errno.ESRCH => Ended,
        Errno.EPERM => "This takes CAP_SYS_ADMIN over the user namespace that owns them: join that as well (Namespaces.User), whose owner has to be the user of this process, or run as root",
        Errno.EINVAL => "This process is in that user namespace already, or the PID namespace is none of those below its own, or the kernel was built without one of these namespaces",
        Errno.EUSERS => "The time namespace cannot be joined by a process with several threads",
        _ => FailureHints.ForHost(errno),
    };
}
