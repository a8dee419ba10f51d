using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>linux/loop.h</summary>
internal static partial class Linux
{
    internal const uint LOOP_CONFIGURE = 0x4c0a;
    internal const uint LOOP_CTL_GET_FREE = 0x4c82;
    internal const uint LO_FLAGS_READ_ONLY = 1;
    internal const uint LO_FLAGS_AUTOCLEAR = 4;
}

/// <summary>struct loop_config: the fields that are used, at their offsets.</summary>
[StructLayout(LayoutKind.Explicit, Size = 304)]
internal struct loop_config
{
    [FieldOffset(0)] internal uint fd;
    [FieldOffset(60)] internal uint lo_flags;
}
