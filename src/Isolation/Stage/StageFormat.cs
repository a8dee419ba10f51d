using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Isolation.Stage;

/// <summary>
/// The wire format of src/Isolation.Stage/stage.h, mirrored. In an arena the header comes first, then the plan's data at
/// <see cref="DataOffset"/>, then the steps. As the stage maps the arena at a fixed address, pointers into the data are
/// final when the plan is made.
/// </summary>
internal static class StageFormat
{
    internal const uint Magic = 0x49534f31;
    internal const ulong Base = 0x50_0000;
    internal const int DataOffset = 2048;
    internal const int Registers = 240;
    internal const byte NoRegister = 0xff;

    internal const ushort OpSyscall = 0;
    internal const ushort OpCheck = 1;
    internal const ushort OpAwaitHost = 2;
    internal const ushort OpFork = 3;
    internal const ushort OpKillListed = 4;
    internal const ushort OpStore = 5;

    internal const int SuperviseAnnounce = 1;
    internal const int SuperviseForward = 2;
    internal const int SuperviseGroup = 4;
    internal const int SuperviseLeave = 8;

    internal const int ListedGroup = 1;
    internal const int ListedForks = 2;

    /// <summary>What the host says once it is done, in a start that is to outlive it: from now on its end is nobody else's.</summary>
    internal const uint Detached = uint.MaxValue;

    internal const int ForwardSignal = 64;
    internal const int ForwardTag = 0x49534f00;

    // Where the robust list's parts lie in the header, which is all the kernel needs to be told.
    internal const int AliveOffset = 72;
    internal const int RobustHeadOffset = 80;
    internal const int RobustEntryOffset = 104;

    // The registers are the header's last field.
    private const int RegistersOffset = 112;

    internal static ulong RegisterPointer(byte register) => Base + RegistersOffset + 8u * register;

    internal static ulong DataPointer(int offset) => Base + DataOffset + (uint)offset;
}

/// <summary>struct program.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ProgramHeader
{
    internal uint Magic, Count, Go, Current;
    internal int Failed, Error, StatusDescriptor, Child;
    internal uint Reported;
    internal int WaitCode, WaitStatus;
    internal uint StepsOffset;
    internal long UserTime, SystemTime, PeakMemory;
    internal uint Alive, Asked;
    internal ulong RobustNext, RobustOffset, RobustPending, RobustEntry;
    internal RegisterFile Registers;

    [InlineArray(StageFormat.Registers)]
    internal struct RegisterFile
    {
        private long _first;
    }
}

/// <summary>struct step.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EncodedStep
{
    internal ushort Op;
    internal byte Out, RegisterArguments;
    internal uint Number;
    internal ArgumentValues Arguments;
    internal ulong Tolerated;
    internal ushort Skip;
    internal byte RepeatArgument, SkipDone;
    internal uint RepeatLast;
    internal long Result;
}

/// <summary>struct listed.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ListedProcess
{
    internal uint Pid, Flags;
    internal ulong StartedBefore;
}

/// <summary>The six arguments of a syscall.</summary>
[InlineArray(6)]
internal struct ArgumentValues
{
    private ulong _first;
}
