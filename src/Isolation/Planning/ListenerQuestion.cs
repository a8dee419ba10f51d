using Isolation.Filtering;

namespace Isolation.Planning;

/// <summary>The host is to take over the listener of the filter that a step is about to install.</summary>
internal sealed class ListenerQuestion(SyscallSupervision supervision, int filterStep) : HostQuestion
{
    internal override void Answer(IWaitingStage stage) => stage.TakeListener(supervision, filterStep);
}
