namespace Isolation.Planning;

/// <summary>
/// Something in the middle of the set-up that only the host can know or do, and for which the stage must have got that far:
/// what a file of the new tree means, or taking a descriptor over. The stage stands still meanwhile.
/// </summary>
internal abstract class HostQuestion
{
    /// <summary>The answer. Whatever it throws ends the start.</summary>
    internal abstract void Answer(IWaitingStage stage);
}
