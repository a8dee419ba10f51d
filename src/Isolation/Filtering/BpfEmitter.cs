using System.Runtime.InteropServices;
using Isolation.Interop;

namespace Isolation.Filtering;

/// <summary>
/// Writes a program of classic BPF from its end to its start, so that the target of every jump, all of which go forward, is
/// there before the jump. A position counts from the end; it stays what it is while the program grows.
/// </summary>
internal sealed class BpfEmitter
{
    private const int Reach = 254; // jumps have 8 bits; one less, as the way to the other target may come in between

    private const ushort LoadWord = Linux.BPF_LD | Linux.BPF_W | Linux.BPF_ABS;
    private const ushort And = Linux.BPF_ALU | Linux.BPF_AND | Linux.BPF_K;
    private const ushort JumpAlways = Linux.BPF_JMP | Linux.BPF_JA;
    private const ushort ReturnValue = Linux.BPF_RET | Linux.BPF_K;

    private readonly List<sock_filter> _reversed = new(512);
    private readonly Dictionary<uint, int> _returns = [];
    private readonly Dictionary<int, int> _ways = [];

    internal int Count => _reversed.Count;

    /// <summary>Ends with a result.</summary>
    internal int Return(uint result)
    {
        if (_returns.TryGetValue(result, out var position) && IsNear(position)) return position;
        return _returns[result] = Add(ReturnValue, result);
    }

    /// <summary>Compares the word that was loaded last.</summary>
    /// <param name="comparison">BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET.</param>
    /// <param name="value">With what.</param>
    /// <param name="yes">Where it goes on when the comparison holds.</param>
    /// <param name="no">And when not.</param>
    internal int Jump(ushort comparison, uint value, int yes, int no)
    {
        if (yes == no) return yes;
        no = Near(no);
        yes = Near(yes);
        return Add((ushort)(Linux.BPF_JMP | comparison | Linux.BPF_K), value, (byte)(Count - 1 - yes), (byte)(Count - 1 - no));
    }

    /// <summary>Loads a word of the call's data, takes some of its bits, and goes on.</summary>
    internal int Load(int offset, int next, uint mask = uint.MaxValue)
    {
        if (next != Count - 1) next = Way(next);
        if (mask != uint.MaxValue) Add(And, mask);
        return Add(LoadWord, (uint)offset);
    }

    /// <summary>The position behind the load of a word that is loaded already, or the position itself.</summary>
    internal int Behind(int position, int offset) => _reversed[position] is { code: LoadWord, k: var k } && k == (uint)offset ? position - 1 : position;

    internal byte[] ToArray()
    {
        var program = _reversed.ToArray();
        program.AsSpan().Reverse();
        return MemoryMarshal.AsBytes(program.AsSpan()).ToArray();
    }

    private bool IsNear(int position) => Count - 1 - position < Reach;

    private int Near(int position)
    {
        if (IsNear(position)) return position;
        // a copy of what is there, where that is all, is nearer than a way to it
        if (_reversed[position] is { code: ReturnValue, k: var result }) return Return(result);
        return _ways.TryGetValue(position, out var way) && IsNear(way) ? way : Way(position);
    }

    private int Way(int position) => _ways[position] = Add(JumpAlways, (uint)(Count - 1 - position));

    private int Add(ushort code, uint k, byte yes = 0, byte no = 0)
    {
        _reversed.Add(new sock_filter { code = code, k = k, jt = yes, jf = no });
        return Count - 1;
    }
}
