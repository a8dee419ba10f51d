namespace Isolation.Tests.Interop;

/// <summary>One claim about the C side that the compiler is to confirm.</summary>
/// <param name="Name">What is claimed about, for the compiler's message.</param>
/// <param name="Expression">The claim: a constant expression that must not be zero.</param>
/// <param name="Since">The kernel whose headers were the first to know the name, when those of Debian 12 (6.1) may lack it.</param>
/// <param name="Macro">The macro that tells whether older headers know it nevertheless.</param>
internal sealed record CAssertion(string Name, string Expression, Version? Since = null, string? Macro = null)
{
    /// <summary>The claim with the number 1 added to its right-hand side, for the proof that a wrong one is refused.</summary>
    internal CAssertion Falsified() => this with { Expression = Expression + " + 1" };

    internal string ToC()
    {
        var assertion = $"_Static_assert({Expression}, \"{Name}\");";
        // Headers that are new enough must know the name: a misspelt one cannot hide behind its version.
        return Since is null
            ? assertion
            : $"#if defined({Macro}) || LINUX_VERSION_CODE >= KERNEL_VERSION({Since.Major}, {Since.Minor}, 0)\n{assertion}\n#endif";
    }
}
