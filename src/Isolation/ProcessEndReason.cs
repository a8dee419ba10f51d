namespace Isolation;

/// <summary>Why a program is no longer there.</summary>
public enum ProcessEndReason
{
    /// <summary>It ended by itself, with an exit code.</summary>
    Exited,

    /// <summary>A signal ended it that did not come from <see cref="IsolatedProcess"/>: a crash, the kernel out of memory, somebody's kill(1).</summary>
    Signaled,

    /// <summary><see cref="IsolatedProcess.Kill"/> did, or disposing the object, or <see cref="IsolatedProcess.StopAsync"/> when its patience was over.</summary>
    Killed,

    /// <summary>The time given to <c>Run</c> or <c>RunAndCaptureText</c> was up.</summary>
    TimedOut,

    /// <summary>The token given to <c>RunAsync</c> or <c>RunAndCaptureTextAsync</c> was canceled.</summary>
    Canceled,

    /// <summary>
    /// The sandbox that the program had been started in (<see cref="IsolatedProcess.Start(IsolationOptions, Namespaces)"/>) has ended. When the app itself
    /// ends, and its programs with it, nobody is left to be told.
    /// </summary>
    ParentExited,
}
