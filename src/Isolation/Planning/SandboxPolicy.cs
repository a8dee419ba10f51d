namespace Isolation.Planning;

/// <summary>
/// What a sandbox was started with that also holds for programs that enter it later. From here and not from the sandbox, which may be hostile.
/// </summary>
internal sealed class SandboxPolicy(IsolationOptions options)
{
    private readonly SecurityOptions _profile = options.Security;
    private readonly int _security = options.Security.Version, _limits = options.Limits.Version;

    internal Namespaces Namespaces { get; } = options.Namespaces;

    internal SecurityOptions Security { get; } = options.Security.Clone();

    internal UserOptions User { get; } = options.User.Copy();

    internal LimitOptions Limits { get; } = options.Limits.Copy();

    internal int Umask { get; } = options.Umask;

    internal string? WorkingDirectory { get; } = options.WorkingDirectory;

    /// <summary>
    /// Something inside has, or can get, the right to trace whatever it sees, on the host as well: see hazards of joining in SECURITY.md.
    /// </summary>
    internal bool MayTrace => (Namespaces & Namespaces.User) == 0 &&
        ((Security.NoNewPrivileges ? Security.Capabilities.Permitted : Security.Capabilities.Bounding) & Capabilities.SysPTrace) != 0;

    internal bool IsOf(IsolationOptions options) =>
        options.Namespaces == Namespaces && options.Umask == Umask && options.WorkingDirectory == WorkingDirectory &&
        options.Security == _profile && options.Security.Version == _security && options.Limits.Version == _limits && options.User.Matches(User);
}
