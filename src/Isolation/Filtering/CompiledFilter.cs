namespace Isolation.Filtering;

/// <summary>A profile as the kernel takes it.</summary>
/// <param name="Native">The machine it is for.</param>
/// <param name="Code">The instructions, struct sock_filter one after another.</param>
internal sealed record CompiledFilter(SeccompArchitecture Native, byte[] Code)
{
    internal const int InstructionSize = 8;

    internal int Length => Code.Length / InstructionSize;

    /// <summary>execve(2) can succeed, for some arguments at least.</summary>
    internal required bool MayExecute { get; init; }

    /// <summary>exit_group(2) ends a program that has it called.</summary>
    internal required bool MayExit { get; init; }

    /// <summary>What looks at a program that could not be executed may run.</summary>
    internal required bool MayLook { get; init; }

    /// <summary>The stage may wait for the host under it.</summary>
    internal required bool MayWait { get; init; }

    /// <summary>No call of any architecture gets through by which a program could use the kernel's keyrings.</summary>
    internal required bool RefusesKeyrings { get; init; }

    /// <summary>Some call is answered by a supervisor.</summary>
    internal required bool Notifies { get; init; }
}
