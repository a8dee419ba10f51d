using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>struct epoll_event: 12 bytes on x64, where it is packed, 16 elsewhere. Large enough for both; read and written by offset.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal unsafe struct EpollEvent
{
    private fixed byte _bytes[16];

    internal static readonly int NativeSize = SizeOn(RuntimeInformation.ProcessArchitecture);

    private static int DataOffset => NativeSize - 8;

    internal static int SizeOn(Architecture architecture) => architecture == Architecture.X64 ? 12 : 16;

    internal static EpollEvent Create(uint events, ulong data)
    {
        EpollEvent result = default;
        Unsafe.WriteUnaligned(result._bytes, events);
        Unsafe.WriteUnaligned(result._bytes + DataOffset, data);
        return result;
    }

    internal static void Read(byte* item, out uint events, out ulong data)
    {
        events = Unsafe.ReadUnaligned<uint>(item);
        data = Unsafe.ReadUnaligned<ulong>(item + DataOffset);
    }
}
