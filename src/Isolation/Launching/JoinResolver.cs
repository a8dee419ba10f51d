using System.Globalization;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>Finds out what there is to join, and opens it.</summary>
internal static class JoinResolver
{
    /// <summary>The options of one start: those given, unless they join something. Opens nothing.</summary>
    /// <exception cref="ArgumentException">What is joined contradicts another option, or would lay the host open.</exception>
    internal static IsolationOptions Resolve(IsolationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Join is not { } source) return options;
        var joined = source.Sandbox is not null ? OfSandbox(source) : source.Handles is { } handles ? OfHandles(source, handles) : OfProcess(source);
        JoinValidator.Validate(options, joined);
        return options.For(joined, source.Sandbox?.Policy, source.Sandbox?.ProgramEnvironment, source.Sandbox?.ProgramUser);
    }

    /// <summary>Puts the descriptors, which are the caller's to close, where the plan has their places.</summary>
    internal static void Open(JoinedNamespaces joined, Span<int> handles)
    {
        var places = handles.Slice(PlanHandle.FirstJoined, PlanHandle.MaxJoined);
        if (joined.Source.Handles is { } namespaces)
        {
            for (var i = 0; i < namespaces.Count; i++)
            {
                var copy = Copy(namespaces[i]);
                places[i] = copy >= 0 ? copy : throw LaunchFailure.Host(JoinPlanner.Label, "fcntl", -copy, namespaces[i].ToString());
            }

            return;
        }

        var pidfd = joined.Source.Sandbox is { } sandbox ? sandbox.CopyPidfd() : Copy(joined.Source.Process!);
        if (pidfd < 0)
            throw LaunchFailure.Host(JoinPlanner.Label, "fcntl", -pidfd, joined.Name, pidfd == -(int)Errno.ESRCH ? JoinHints.Ended : null);
        places[0] = pidfd;
    }

    private static JoinedNamespaces OfSandbox(NamespaceSource source)
    {
        var policy = source.Sandbox!.Policy;
        var joined = source.Namespaces & policy.Namespaces;
        if (joined != 0) joined |= policy.Namespaces & Namespaces.User; // the rights over the others come with it
        var name = Number(source.Sandbox.ProcessId);
        // Without a PID namespace of its own the sandbox sees whoever joins anything of it.
        if ((policy.MayTrace || source.Sandbox.PidNamespace.MayTrace) && (joined & Namespaces.User) == 0 && ((joined | ~policy.Namespaces) & Namespaces.Pid) != 0) throw JoinValidator.MayTrace(name);
        return new JoinedNamespaces(joined, null, name, Enters(source), source);
    }

    private static JoinedNamespaces OfProcess(NamespaceSource source)
    {
        var added = false;
        try
        {
            source.Process!.DangerousAddRef(ref added);
            var pidfd = (int)source.Process.DangerousGetHandle();
            var differing = NamespaceKinds.Differing(pidfd, source.Namespaces | Namespaces.User | Namespaces.Pid);
            var joined = differing & source.Namespaces;
            if (joined != 0) joined |= differing & Namespaces.User;
            var number = NamespaceKinds.Number(pidfd);
            if ((joined & Namespaces.User) == 0 && ((joined | ~differing) & Namespaces.Pid) != 0 && TraceRights.HasAny(NamespaceKinds.Path(pidfd, "pid"), (differing & Namespaces.Pid) == 0 ? number : 0))
                throw JoinValidator.MayTrace(Number(number));
            return new JoinedNamespaces(joined, null, Number(number), Enters(source), source);
        }
        finally
        {
            if (added) source.Process!.DangerousRelease();
        }
    }

    private static JoinedNamespaces OfHandles(NamespaceSource source, IReadOnlyList<NamespaceHandle> handles)
    {
        if ((source.Namespaces & (Namespaces.Pid | Namespaces.User)) == Namespaces.Pid)
        {
            foreach (var handle in handles)
                if (handle.Kind == Namespaces.Pid && TraceRights.HasAny(handle.Id)) throw JoinValidator.MayTrace(handle.ToString());
        }

        var kinds = new Namespaces[handles.Count];
        for (var i = 0; i < kinds.Length; i++) kinds[i] = handles[i].Kind;
        return new JoinedNamespaces(source.Namespaces, kinds, null, Enters(source), source);
    }

    private static bool Enters(NamespaceSource source) => (source.Namespaces & Namespaces.Mount) != 0;

    private static int Copy(System.Runtime.InteropServices.SafeHandle handle)
    {
        var added = false;
        try
        {
            handle.DangerousAddRef(ref added);
            return Kernel.fcntl((int)handle.DangerousGetHandle(), Linux.F_DUPFD_CLOEXEC, 3);
        }
        finally
        {
            if (added) handle.DangerousRelease();
        }
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
