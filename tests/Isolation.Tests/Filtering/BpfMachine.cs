using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Isolation.Filtering;
using Isolation.Interop;

namespace Isolation.Tests.Filtering;

/// <summary>Runs a filter as the kernel does, for one call at a time; refuses what the kernel's checker would.</summary>
internal static class BpfMachine
{
    /// <summary>What the kernel does by itself while it looks for calls that are always allowed ends at a load from here on.</summary>
    internal const int FirstArgument = 16;

    internal static uint Run(CompiledFilter filter, uint architecture, uint number, ReadOnlySpan<ulong> arguments)
    {
        Span<byte> data = stackalloc byte[64];
        data.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(data, number);
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], architecture);
        for (var i = 0; i < arguments.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(data[(16 + 8 * i)..], arguments[i]);
        var code = MemoryMarshal.Cast<byte, sock_filter>(filter.Code);
        var accumulator = 0u;
        for (var i = 0; ; i++)
        {
            if (i >= code.Length) throw new InvalidOperationException("The program runs over its end.");
            var (k, yes, no) = (code[i].k, code[i].jt, code[i].jf);
            switch (code[i].code)
            {
                case 0x20: // ld [k]
                    if (k > 60 || k % 4 != 0) throw new InvalidOperationException($"There is no word {k}.");
                    accumulator = BinaryPrimitives.ReadUInt32LittleEndian(data[(int)k..]);
                    break;
                case 0x54: // and #k
                    accumulator &= k;
                    break;
                case 0x05: // ja
                    i = checked(i + (int)k);
                    break;
                case 0x15:
                    i += accumulator == k ? yes : no;
                    break;
                case 0x25:
                    i += accumulator > k ? yes : no;
                    break;
                case 0x35:
                    i += accumulator >= k ? yes : no;
                    break;
                case 0x45:
                    i += (accumulator & k) != 0 ? yes : no;
                    break;
                case 0x06:
                    return k;
                default:
                    throw new InvalidOperationException($"There is no instruction 0x{code[i].code:x}.");
            }
        }
    }
}
