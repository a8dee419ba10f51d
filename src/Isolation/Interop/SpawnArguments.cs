using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>struct spawn of src/Isolation.Stage/stub-*.S.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpawnArguments
{
    internal clone_args* Arguments;
    internal nuint ArgumentsSize;

    /// <summary>1: use clone(2), for outer sandboxes that answer clone3(2) with ENOSYS.</summary>
    internal nuint Legacy;

    /// <summary>Pairs of first and last fd to close in the child; a pair in the wrong order keeps its first across the exec.</summary>
    internal uint* CloseRanges;
    internal nuint CloseRangeCount;
    internal nint StageDescriptor;
    internal byte** Argv;
    internal byte** Envp;

    /// <summary>-errno when the child could not close fds or exec the stage.</summary>
    internal nint Error;

    /// <summary>A cap_header and a cap_data: what the child keeps across the exec of the stage by making it ambient; or null.</summary>
    internal cap_header* Capabilities;

    /// <summary>Which ones, bit n for capability n.</summary>
    internal ulong Ambient;

    /// <summary>personality(2) of the child; <see cref="Kernel.SamePersonality"/>: the host's.</summary>
    internal nuint Personality;

    /// <summary>Flags of close_range(2) for the first pair of <see cref="CloseRanges"/>.</summary>
    internal nuint CloseFlags;
}
