using System.Globalization;

namespace Isolation;

/// <summary>A soft limit, which holds, and the hard one up to which a process may raise it. getrlimit(2).</summary>
/// <param name="Soft">What holds, in the unit of the <see cref="ResourceLimit"/>.</param>
/// <param name="Hard">How far it can be raised; not below <paramref name="Soft"/>.</param>
public readonly record struct LimitRange(ulong Soft, ulong Hard)
{
    /// <summary>RLIM_INFINITY: no limit.</summary>
    public const ulong Infinity = ulong.MaxValue;

    /// <summary>The same for both: a limit that cannot be raised.</summary>
    public static implicit operator LimitRange(ulong value) => new(value, value);

    /// <summary>Such as "1024 of at most 4096".</summary>
    public override string ToString() => Soft == Hard ? Text(Soft) : $"{Text(Soft)} of at most {Text(Hard)}";

    private static string Text(ulong value) => value == Infinity ? "unlimited" : value.ToString(CultureInfo.InvariantCulture);
}
