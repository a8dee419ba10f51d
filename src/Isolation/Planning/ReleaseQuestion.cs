namespace Isolation.Planning;

/// <summary>The sandbox is ready and waits to be released: to answer is to release it.</summary>
internal sealed class ReleaseQuestion : HostQuestion
{
    private ReleaseQuestion()
    {
    }

    internal static ReleaseQuestion Instance { get; } = new();

    internal override void Answer(IWaitingStage stage)
    {
        // There is nothing to say but "go on".
    }
}
