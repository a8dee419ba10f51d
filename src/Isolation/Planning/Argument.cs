namespace Isolation.Planning;

/// <summary>What an argument's number means, for the encoder and for printing.</summary>
internal enum ArgumentKind : byte
{
    /// <summary>A plain number.</summary>
    Number,

    /// <summary>Offset of a NUL-terminated string in the plan's data.</summary>
    Text,

    /// <summary>Offset of bytes in the plan's data.</summary>
    Bytes,

    /// <summary>Offset of a NULL-terminated table of string pointers in the plan's data.</summary>
    Strings,

    /// <summary>The value of a register, set by an earlier step.</summary>
    Register,

    /// <summary>A descriptor of the host, known only at launch; see <see cref="PlanHandle"/>.</summary>
    Handle,
}

/// <summary>An argument of a step.</summary>
internal readonly record struct Argument(ArgumentKind Kind, ulong Value)
{
    public static implicit operator Argument(int value) => new(ArgumentKind.Number, unchecked((ulong)value));

    public static implicit operator Argument(uint value) => new(ArgumentKind.Number, value);

    public static implicit operator Argument(ulong value) => new(ArgumentKind.Number, value);

    internal static Argument Register(byte register) => new(ArgumentKind.Register, register);

    internal static Argument Handle(int handle) => new(ArgumentKind.Handle, (ulong)handle);
}
