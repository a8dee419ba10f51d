namespace Isolation;

/// <summary>Why <see cref="Terminal.AttachAsync"/> is over.</summary>
public enum TerminalEnd
{
    /// <summary>The program has ended, or closed its terminal; everything that it wrote has been passed on.</summary>
    Closed,

    /// <summary>The keys of <see cref="TerminalAttachOptions.DetachKeys"/> were typed. The program goes on.</summary>
    Detached,
}
