namespace Isolation;

/// <summary>A detached program, as <see cref="IsolatedProcess.ListDetached"/> has found it.</summary>
public readonly record struct DetachedProcessInfo
{
    /// <summary>The name by which <see cref="IsolatedProcess.FindDetached"/> finds it.</summary>
    public string Name { get; init; }

    /// <summary>The process id of the sandbox's first process, as the host sees it. Somebody else's, possibly, once <see cref="HasExited"/>.</summary>
    public int ProcessId { get; init; }

    /// <summary>The program, as <see cref="IsolationOptions.FileName"/> named it.</summary>
    public string FileName { get; init; }

    /// <summary>When it was started.</summary>
    public DateTimeOffset StartTime { get; init; }

    /// <summary>It has ended, and how is still to be seen.</summary>
    public bool HasExited { get; init; }
}
