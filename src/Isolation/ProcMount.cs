namespace Isolation;

/// <summary>
/// A procfs of the sandbox's PID namespace; at <c>/proc</c> it takes the place of the one of
/// <see cref="FilesystemOptions.PrivateProc"/>. Masked like that one. Needs <see cref="Namespaces.Pid"/>. proc(5).
/// </summary>
public sealed class ProcMount(string target = "/proc") : Mount(target)
{
    /// <summary>Only the folders of processes, nothing about the machine (<c>subset=pid</c>, Linux 5.8). Default: false.</summary>
    public bool ProcessesOnly { get; init; }

    /// <summary>Processes of other users are not shown (<c>hidepid=invisible</c>, Linux 5.8). Default: false.</summary>
    public bool HideOthers { get; init; }
}
