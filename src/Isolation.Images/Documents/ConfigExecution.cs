namespace Isolation.Images.Documents;

/// <summary>How a program of an image is to be run.</summary>
internal sealed record ConfigExecution
{
    public string? User { get; init; }

    public string?[]? Env { get; init; }

    public string?[]? Entrypoint { get; init; }

    public string?[]? Cmd { get; init; }

    public string? WorkingDir { get; init; }

    public string? StopSignal { get; init; }

    public Dictionary<string, string?>? Labels { get; init; }
}
