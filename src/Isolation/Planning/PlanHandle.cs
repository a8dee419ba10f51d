namespace Isolation.Planning;

/// <summary>Symbolic descriptors: what a plan calls the host's descriptors, whose numbers are known only at launch.</summary>
internal static class PlanHandle
{
    internal const int Status = 0;
    internal const int StandardInput = 1;
    internal const int StandardOutput = 2;
    internal const int StandardError = 3;
    internal const int Host = 4;
    internal const int Table = 5;
    internal const int FirstInherited = 6;

    internal static string Name(int handle) => handle switch
    {
        Status => "<status>",
        StandardInput => "<stdin>",
        StandardOutput => "<stdout>",
        StandardError => "<stderr>",
        Host => "<host pidfd>",
        Table => "<table>",
        _ => $"<inherited {handle - FirstInherited}>",
    };
}
