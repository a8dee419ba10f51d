namespace Isolation;

/// <summary>What a program wrote, and how it ended.</summary>
public readonly record struct ProcessTextOutput
{
    /// <summary>How it ended.</summary>
    public ProcessExitStatus ExitStatus { get; init; }

    /// <summary>What it wrote to standard output, decoded as UTF-8.</summary>
    public string StandardOutput { get; init; }

    /// <summary>What it wrote to standard error, decoded as UTF-8.</summary>
    public string StandardError { get; init; }

    /// <summary>The process id it had, as the host saw it.</summary>
    public int ProcessId { get; init; }
}
