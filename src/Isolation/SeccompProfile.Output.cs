using System.Text;
using Isolation.Filtering;

namespace Isolation;

public sealed partial record SeccompProfile
{
    private readonly FilterCache _compiled = new();

    /// <summary>The capabilities on which rules depend.</summary>
    internal ulong DistinguishedCapabilities
    {
        get
        {
            var result = 0ul;
            foreach (var rule in _rules) result |= rule.RequiredCapabilities | rule.ExcludedCapabilities;
            return result;
        }
    }

    /// <summary>The filter for this machine and a sandbox that keeps these capabilities.</summary>
    /// <exception cref="ArgumentException">It would be longer than the kernel takes.</exception>
    internal CompiledFilter Compile(ulong capabilities) => _compiled.Get(this, capabilities);

    /// <summary>
    /// The filter that the kernel gets on this machine, for a sandbox without capabilities: one instruction a line, with labels
    /// and the names of syscalls.
    /// </summary>
    /// <exception cref="ArgumentException">The profile has so many conditions that the kernel would not take it.</exception>
    public string Disassemble() => FilterPrinter.Print(Compile(capabilities: 0));

    /// <summary>The profile in words, a rule a line; the first that fits a call decides.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var rule in _rules) text.Append(rule).Append('\n');
        text.Append(DefaultAction).Append(": all other syscalls\n");
        if (UnknownAction is { } unknown) text.Append(unknown).Append(": syscalls of kernels newer than 6.18\n");
        text.Append(ForeignAction).Append(": syscalls of other architectures than this machine's");
        if (_architectures.Length > 0) text.Append(" and ").AppendJoin(", ", _architectures);
        text.Append('\n');
        if (LogsDenials) text.Append("what is not allowed is logged\n");
        if (!AllowsSpeculation) text.Append("speculation is restricted\n");
        return text.ToString();
    }
}
