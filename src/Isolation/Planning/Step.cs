using System.Runtime.CompilerServices;
using Isolation.Interop;
using Isolation.Stage;

namespace Isolation.Planning;

/// <summary>
/// One step of a plan: a syscall with its arguments, where its result goes, which errnos are no failure, and a label for
/// people. A mutable struct in a pooled array, so that planning a start allocates nothing.
/// </summary>
internal struct Step
{
    internal StepKind Kind;
    internal Sys Call;
    internal byte Out;
    internal byte RepeatArgument;
    internal ushort Skip;
    internal byte SkipDone;
    internal uint RepeatLast;
    internal ulong ToleratedErrnos;
    internal ArgumentValues Values;
    internal ArgumentKinds Kinds;

    /// <summary>What the step is for: "mount a fresh procfs".</summary>
    internal string Label;

    /// <summary>The path or value concerned, if there is one.</summary>
    internal string? Path;

    /// <summary>The result is stored in <paramref name="register"/>.</summary>
    internal Step To(byte register) => this with { Out = register };

    /// <summary>These errnos (four at most) are no failure; <see cref="SkipNext"/> says what is passed over then.</summary>
    internal Step Tolerate(params ReadOnlySpan<Errno> errnos)
    {
        var copy = this;
        for (var i = 0; i < errnos.Length; i++) copy.ToleratedErrnos |= (ulong)errnos[i] << (16 * i);
        return copy;
    }

    /// <summary>How many of the following steps are passed over after a tolerated error.</summary>
    internal Step SkipNext(ushort steps) => this with { Skip = steps };

    /// <summary>How many of the following steps are passed over after a success.</summary>
    internal Step DoneSkips(byte steps) => this with { SkipDone = steps };

    /// <summary>Repeats the syscall with this argument counting up to <paramref name="last"/>.</summary>
    internal Step Repeat(byte argument, uint last) => this with { RepeatArgument = argument, RepeatLast = last };

    internal readonly bool Tolerates(int errno)
    {
        for (var rest = ToleratedErrnos; rest != 0; rest >>= 16)
            if ((int)(rest & 0xffff) == errno) return true;
        return false;
    }

    /// <summary>How often the syscall is tried again while it answers EAGAIN. Not beside <see cref="Repeat"/>.</summary>
    internal Step TryAgain(uint times) => this with { RepeatLast = times };

    [InlineArray(6)]
    internal struct ArgumentKinds
    {
        private ArgumentKind _first;
    }
}
