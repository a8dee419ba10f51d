using Isolation.Planning;

namespace Isolation;

/// <summary>Finds options that contradict what is joined: one program must not change for others what they share.</summary>
internal static class JoinValidator
{
    internal static void Validate(IsolationOptions options, JoinedNamespaces joined)
    {
        var (asked, kinds) = (joined.Source.Namespaces, joined.Namespaces);
        if ((asked & Namespaces.Mount) != 0)
        {
            var filesystem = options.Filesystem;
            if (filesystem.Root != Root.HostReadOnly || filesystem.Mounts.Count > 0 || filesystem.Devices.Count > 0 ||
                !(filesystem.PrivateProc && filesystem.PrivateTmp && filesystem.PrivateRun && filesystem.PrivateDev && filesystem.MaskKernelFiles))
                throw Invalid(nameof(options.Filesystem), "says how a file tree is made, and the tree is joined as it is");
            if ((options.Namespaces & ~asked & Namespaces.Time) != 0)
                throw Invalid(nameof(options.Namespaces), "has Time, which is made by way of /proc; join it with the file tree, or go without");
        }

        if ((asked & Namespaces.Uts) != 0 && (options.HostName ?? options.DomainName) is not null)
            throw Invalid(options.HostName is null ? nameof(options.DomainName) : nameof(options.HostName), "would change it for all who share Namespaces.Uts, which is joined");
        if ((kinds & Namespaces.User) != 0 && (options.Time.MonotonicOffset != TimeSpan.Zero || options.Time.BootTimeOffset != TimeSpan.Zero) && Interop.Kernel.geteuid() != 0)
            throw Invalid(nameof(options.Time), "has clock offsets, which only root can set for a program that joins: its files in /proc are root's, so that nobody who is there reads it");
        if ((asked & Namespaces.Time) != 0 && (options.Time.MonotonicOffset != TimeSpan.Zero || options.Time.BootTimeOffset != TimeSpan.Zero))
            throw Invalid(nameof(options.Time), "has clock offsets, which cannot be changed in Namespaces.Time that is joined");
        if ((asked & Namespaces.Pid) != 0 && options.UseInit)
            throw Invalid(nameof(options.UseInit), "needs a PID namespace of its own: one that is joined has its process 1 already");
        if (((asked | kinds) & Namespaces.User) != 0 && (options.User.UserMap is not null || options.User.GroupMap is not null || options.User.ForbidNestedUserNamespaces))
            throw Invalid(nameof(options.User), "has maps, or forbids nested user namespaces, which is settled in Namespaces.User that is joined");
    }

    internal static ArgumentException MayTrace(string what) => Invalid(nameof(IsolationOptions.Join),
        $"leads to where CAP_SYS_PTRACE is kept without a user namespace ({what}): who is there could read and steer a joining process while it still has the rights of this app. " +
        "Give the sandbox Namespaces.User, or do without that capability");

    private static ArgumentException Invalid(string option, string problem) => OptionsValidator.Invalid(option, problem);
}
