namespace Isolation.Planning;

/// <summary>What a step asks for. All but <see cref="HostWrite"/> and <see cref="HostRun"/> are executed by the stage.</summary>
internal enum StepKind : byte
{
    /// <summary>One syscall, or one for each value of an argument.</summary>
    Syscall,

    /// <summary>A comparison of bytes that an earlier step has written.</summary>
    Check,

    /// <summary>The stage waits until the host has done its own steps.</summary>
    AwaitHost,

    /// <summary>The stage asks the host something and waits for the answer; see <see cref="HostQuestion"/>.</summary>
    AskHost,

    /// <summary>The stage clones; the child goes on, the parent supervises it.</summary>
    Fork,

    /// <summary>Kill every process of a table (the parent-exit guard).</summary>
    KillListed,

    /// <summary>Puts a value, that of a register as a rule, where a structure of a later step has it.</summary>
    Store,

    /// <summary>The host writes a file of /proc/PID.</summary>
    HostWrite,

    /// <summary>The host runs a program of its own that does something to the child: newuidmap(1).</summary>
    HostRun,
}
