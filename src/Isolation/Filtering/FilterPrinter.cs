using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Isolation.Interop;

namespace Isolation.Filtering;

/// <summary>Prints a filter, one instruction a line, with labels where jumps go and with the names of what is compared.</summary>
internal static class FilterPrinter
{
    private const uint X32Bit = 0x40000000;

    /// <summary>What the accumulator holds when an instruction is reached.</summary>
    private enum Content
    {
        Nothing,
        Architecture,
        Number,
        Argument,
    }

    private struct State
    {
        internal Content Content;
        internal string Text;
        internal SeccompArchitecture? Architecture;
        internal bool IsTarget;
    }

    internal static string Print(CompiledFilter filter)
    {
        var code = MemoryMarshal.Cast<byte, sock_filter>(filter.Code);
        // Jumps go forward, and whatever leads to an instruction has loaded the same: one pass knows it all.
        var states = new State[code.Length + 1];
        states[0].Text = "?";
        for (var i = 0; i < code.Length; i++) Follow(code[i], i, states, filter.Native);
        var text = new StringBuilder();
        for (var i = 0; i < code.Length; i++)
        {
            text.Append((states[i].IsTarget ? Label(i) + ":" : "").PadRight(7));
            Append(text, code[i], i, states[i]);
            text.Append('\n');
        }

        return text.ToString();
    }

    private static void Follow(in sock_filter instruction, int i, State[] states, SeccompArchitecture native)
    {
        var state = states[i];
        state.IsTarget = false;
        switch (instruction.code & 7)
        {
            case Linux.BPF_LD:
                (state.Content, state.Text) = instruction.k switch
                {
                    0 => (Content.Number, "number"),
                    4 => (Content.Architecture, "architecture"),
                    var offset => (Content.Argument, $"arg{(offset - 16) / 8}.{(offset % 8 == 0 ? "low" : "high")}"),
                };
                Reach(states, i + 1, state, isJump: false);
                break;
            case Linux.BPF_ALU:
                state.Text += $" & {Hex(instruction.k)}";
                Reach(states, i + 1, state, isJump: false);
                break;
            case Linux.BPF_JMP when (instruction.code & 0xf0) == Linux.BPF_JA:
                Reach(states, i + 1 + (int)instruction.k, state, isJump: true);
                break;
            case Linux.BPF_JMP:
                var (yes, no) = (state, state);
                if (state.Content == Content.Architecture) yes.Architecture = Architecture(instruction.k, native);
                if (state.Content == Content.Number && (instruction.code & 0xf0) == Linux.BPF_JSET) yes.Architecture = SeccompArchitecture.X32;
                Reach(states, i + 1 + instruction.jt, yes, isJump: instruction.jt > 0);
                Reach(states, i + 1 + instruction.jf, no, isJump: instruction.jf > 0);
                break;
        }
    }

    private static void Reach(State[] states, int i, State state, bool isJump)
    {
        state.IsTarget = states[i].IsTarget || isJump;
        if (states[i].Content != Content.Nothing)
        {
            // Results are shared by all that leads to them; what leads there from several architectures is none of theirs.
            if (states[i].Architecture != state.Architecture) state.Architecture = null;
        }

        states[i] = state;
    }

    private static void Append(StringBuilder text, in sock_filter instruction, int i, in State state)
    {
        switch (instruction.code & 7)
        {
            case Linux.BPF_LD:
                text.Append("load ").Append(instruction.k switch
                {
                    0 => "number",
                    4 => "architecture",
                    var offset => $"arg{(offset - 16) / 8}.{(offset % 8 == 0 ? "low" : "high")}",
                });
                break;
            case Linux.BPF_ALU:
                text.Append("and ").Append(Hex(instruction.k));
                break;
            case Linux.BPF_RET:
                text.Append("return ").Append(SeccompAction.FromResult(instruction.k));
                break;
            case Linux.BPF_JMP when (instruction.code & 0xf0) == Linux.BPF_JA:
                text.Append("goto ").Append(Label(i + 1 + (int)instruction.k));
                break;
            default:
                text.Append("if ").Append(state.Text).Append((instruction.code & 0xf0) switch
                {
                    Linux.BPF_JEQ => " == ",
                    Linux.BPF_JGT => " > ",
                    Linux.BPF_JGE => " >= ",
                    _ => " has ",
                }).Append(Value(instruction, state));
                // The way that goes on with the next line is not worth a word.
                if (instruction.jt > 0) text.Append(" goto ").Append(Label(i + 1 + instruction.jt));
                if (instruction.jf > 0) text.Append(instruction.jt > 0 ? " else " : " else goto ").Append(Label(i + 1 + instruction.jf));
                break;
        }
    }

    private static string Value(in sock_filter instruction, in State state)
    {
        if (state.Content == Content.Architecture) return Architecture(instruction.k, SeccompArchitecture.X64)?.ToString() ?? Hex(instruction.k);
        if (state.Content != Content.Number || (instruction.code & 0xf0) == Linux.BPF_JSET) return Hex(instruction.k);
        if (instruction.k == uint.MaxValue) return "-1";
        var number = state.Architecture == SeccompArchitecture.X32 ? instruction.k & ~X32Bit : instruction.k;
        var name = state.Architecture is { } architecture ? SyscallNames.Name((int)number, architecture) : null;
        return number.ToString(CultureInfo.InvariantCulture) + (name is null ? "" : $" ({name})");
    }

    private static SeccompArchitecture? Architecture(uint token, SeccompArchitecture native) => token switch
    {
        Linux.AUDIT_ARCH_X86_64 => native == SeccompArchitecture.Arm64 ? null : SeccompArchitecture.X64,
        Linux.AUDIT_ARCH_I386 => SeccompArchitecture.X86,
        Linux.AUDIT_ARCH_AARCH64 => SeccompArchitecture.Arm64,
        Linux.AUDIT_ARCH_ARM => SeccompArchitecture.Arm,
        _ => null,
    };

    private static string Label(int i) => "L" + i.ToString(CultureInfo.InvariantCulture);

    private static string Hex(uint value) => value < 10 ? value.ToString(CultureInfo.InvariantCulture) : "0x" + value.ToString("x", CultureInfo.InvariantCulture);
}
