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

    /// <summary>What is joined: a pidfd, or a descriptor for each namespace, of which there are eight kinds.</summary>
    internal const int FirstJoined = Mounts + 1;
    internal const int MaxJoined = 8;

    /// <summary>The socket by which the stage hands the terminal's master to the host.</summary>
    internal const int Terminal = FirstJoined + MaxJoined;

    internal const int FirstInherited = Terminal + 1;

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
        >= FirstJoined and < Terminal => $"<joined {handle - FirstJoined}>",
        Terminal => "<terminal>",
        _ => $"<inherited {handle - FirstInherited}>",
    };
}
