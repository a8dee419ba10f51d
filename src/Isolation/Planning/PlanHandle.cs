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

    /// <summary>Mounts that the host makes itself and hands over: <see cref="MaxPrepared"/> at most.</summary>
    internal const int FirstPrepared = 6;
    internal const int MaxPrepared = 8;

    /// <summary>See <see cref="HostMounts.Descriptor"/>.</summary>
    internal const int Mounts = FirstPrepared + MaxPrepared;

    internal const int FirstInherited = Mounts + 1;

    internal static string Name(int handle) => handle switch
    {
        Status => "<status>",
        StandardInput => "<stdin>",
        StandardOutput => "<stdout>",
        StandardError => "<stderr>",
        Host => "<host pidfd>",
        Table => "<table>",
        >= FirstPrepared and < Mounts => $"<prepared {handle - FirstPrepared}>",
        Mounts => "<mounts>",
        _ => $"<inherited {handle - FirstInherited}>",
    };
}
