using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>struct rlimit64 of linux/resource.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct rlimit64
{
    internal ulong rlim_cur, rlim_max;
}
