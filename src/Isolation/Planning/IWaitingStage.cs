using Isolation.Filtering;

namespace Isolation.Planning;

/// <summary>A stage that has asked the host something, seen from the host.</summary>
internal interface IWaitingStage
{
    /// <summary>The process that asks, as the host sees it.</summary>
    int ProcessId { get; }

    int Pidfd { get; }

    /// <summary>The plan's data as it stands: what earlier steps have read, and what later steps will use.</summary>
    Span<byte> Data { get; }

    /// <summary>What an earlier step has left in a register, for later steps to use.</summary>
    ref long Register(byte register);

    /// <summary>Lets the stage go on before <see cref="HostQuestion.Answer"/> returns.</summary>
    void Release();

    /// <summary>Whether the stage is gone, or has failed.</summary>
    bool HasEnded { get; }

    /// <summary>Takes over the listener that a step is about to make, for as long as the sandbox lives. Releases the stage.</summary>
    void TakeListener(SyscallSupervision supervision, int filterStep);

    /// <summary>The result that the stage has noted for a step.</summary>
    long Result(int step);
}
