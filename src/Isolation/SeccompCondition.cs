using System.Globalization;
using System.Text;

namespace Isolation;

/// <summary>
/// A comparison of a syscall's argument: (argument &amp; <see cref="Mask"/>) <see cref="Operator"/> <see cref="Value"/>.
/// A filter sees numbers only: it cannot follow pointers, so paths and structures cannot be compared.
/// </summary>
/// <remarks>
/// The kernel passes 64 bits, of which a call may use fewer: where it takes an int, compare with <see cref="Low32"/>, or a
/// program gets round the comparison with bits that the call ignores (CVE-2019-10063).
/// </remarks>
public sealed record SeccompCondition
{
    private const int MaxArgument = 5;

    /// <summary>Creates a comparison of all 64 bits.</summary>
    /// <param name="argument">Which argument, 0 to 5.</param>
    /// <param name="comparison">How it compares.</param>
    /// <param name="value">With what.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such argument, or no such operator.</exception>
    public SeccompCondition(int argument, SeccompOperator comparison, ulong value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(argument);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(argument, MaxArgument);
        if (!Enum.IsDefined(comparison)) throw new ArgumentOutOfRangeException(nameof(comparison), comparison, "There is no such operator.");
        Argument = argument;
        Operator = comparison;
        Value = value;
    }

    /// <summary>Which argument, from 0.</summary>
    public int Argument { get; }

    /// <summary>How it compares.</summary>
    public SeccompOperator Operator { get; }

    /// <summary>What it is compared with.</summary>
    public ulong Value { get; }

    /// <summary>The bits of the argument that count; the others are taken for 0. Default: all.</summary>
    public ulong Mask { get; init; } = ulong.MaxValue;

    /// <summary>The bits of <paramref name="mask"/> are those of <paramref name="value"/>.</summary>
    /// <param name="argument">Which argument, 0 to 5.</param>
    /// <param name="mask">The bits that count.</param>
    /// <param name="value">What they must be.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such argument.</exception>
    public static SeccompCondition MaskedEqual(int argument, ulong mask, ulong value) =>
        new(argument, SeccompOperator.Equal, value) { Mask = mask };

    /// <summary>The low 32 bits are this value: for arguments that the kernel takes as an int.</summary>
    /// <param name="argument">Which argument, 0 to 5.</param>
    /// <param name="value">What the low half must be.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such argument.</exception>
    public static SeccompCondition Low32(int argument, uint value) => MaskedEqual(argument, uint.MaxValue, value);

    internal bool Holds(ulong argument)
    {
        argument &= Mask;
        return Operator switch
        {
            SeccompOperator.Equal => argument == Value,
            SeccompOperator.NotEqual => argument != Value,
            SeccompOperator.Less => argument < Value,
            SeccompOperator.LessOrEqual => argument <= Value,
            SeccompOperator.Greater => argument > Value,
            _ => argument >= Value,
        };
    }

    /// <summary>Such as "arg1 &amp; 0xffffffff == 0x5412".</summary>
    public override string ToString()
    {
        var text = new StringBuilder("arg").Append(Argument);
        if (Mask != ulong.MaxValue) text.Append(CultureInfo.InvariantCulture, $" & 0x{Mask:x}");
        text.Append(Operator switch
        {
            SeccompOperator.Equal => " == ",
            SeccompOperator.NotEqual => " != ",
            SeccompOperator.Less => " < ",
            SeccompOperator.LessOrEqual => " <= ",
            SeccompOperator.Greater => " > ",
            _ => " >= ",
        });
        return (Value < 10 ? text.Append(Value) : text.Append(CultureInfo.InvariantCulture, $"0x{Value:x}")).ToString();
    }
}
