namespace Isolation;

/// <summary>A syscall that the sandbox's profile has refused.</summary>
/// <param name="Call">The call. It is not pending any more when the report is read; memory it points to cannot be read then.</param>
/// <param name="Errno">What it failed with, as in errno(3); 0 when the program was killed for it.</param>
/// <param name="Path">The path it was about, where the call has one that could be read; else null.</param>
public sealed record SyscallDenial(SyscallNotification Call, int Errno, string? Path)
{
    /// <summary>The profile has <see cref="SeccompAction.KillProcess"/> for the call, and the program that made it is killed.</summary>
    public bool IsFatal { get; init; }

    /// <summary>Such as "mount(…) of /proc was refused with error 1".</summary>
    public override string ToString() =>
        $"{Call}{(Path is null ? "" : $" of {Path}")} was {(IsFatal ? "refused, and the program killed" : $"refused with error {Errno}")}";
}
