namespace Isolation;

/// <summary>How a <see cref="SeccompCondition"/> compares, always as unsigned numbers of 64 bits.</summary>
public enum SeccompOperator
{
    /// <summary>The argument is this value.</summary>
    Equal,

    /// <summary>The argument is another value.</summary>
    NotEqual,

    /// <summary>The argument is less.</summary>
    Less,

    /// <summary>The argument is less or the same.</summary>
    LessOrEqual,

    /// <summary>The argument is greater.</summary>
    Greater,

    /// <summary>The argument is greater or the same.</summary>
    GreaterOrEqual,
}
