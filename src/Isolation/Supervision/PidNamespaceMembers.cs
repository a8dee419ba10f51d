namespace Isolation.Supervision;

/// <summary>What is known of all who are in a PID namespace together: the sandbox that made it and those that joined.</summary>
internal sealed class PidNamespaceMembers(bool mayTrace)
{
    private volatile bool _mayTrace = mayTrace;

    /// <summary>Somebody in it keeps CAP_SYS_PTRACE without a user namespace.</summary>
    internal bool MayTrace => _mayTrace;

    internal void LetTrace() => _mayTrace = true;
}
