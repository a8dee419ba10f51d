namespace Isolation.Tests.Interop;

/// <summary>A C file: headers, and what is claimed about them.</summary>
internal sealed record CSource(string Prologue, IReadOnlyList<CAssertion> Assertions)
{
    /// <summary>The same file with one claim replaced.</summary>
    internal CSource With(string name, Func<CAssertion, CAssertion> change)
    {
        if (Assertions.All(a => a.Name != name)) throw new ArgumentException($"Nothing is claimed about {name}.", nameof(name));
        return this with { Assertions = [.. Assertions.Select(a => a.Name == name ? change(a) : a)] };
    }

    internal string ToC() => Prologue + "\n" + string.Join('\n', Assertions.Select(a => a.ToC())) + "\n";
}
