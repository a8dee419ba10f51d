using Isolation.Interop;
using Isolation.Launching;

namespace Isolation.Supervision;

// A program that outlives whoever looks at it.
internal sealed partial class ChildProcess
{
    /// <summary>The name of a detached program, else null.</summary>
    internal string? DetachedName => launched.Entry?.Name;

    /// <summary>Another app has started it, or this one before; what it was started with is not known.</summary>
    internal bool IsFound => launched.IsFound;

    /// <summary>It is over, and how is known.</summary>
    internal bool HasEnded => _exited.Task.IsCompletedSuccessfully;

    /// <summary>When it was found, it was over.</summary>
    internal void SetEnded(ProcessExitStatus status) => _exited.TrySetResult(status);

    /// <summary>A program that lives goes on; the note of one that has ended is not needed any more.</summary>
    internal void Dismiss()
    {
        if (TryReap()) _ = WaitForReaper();
        if (HasEnded) launched.Entry!.Remove();
        else LetGo();
    }

    /// <summary>Looks no longer. What this process has started itself it has to reap, and so goes on looking.</summary>
    internal void LetGo()
    {
        lock (_gate)
        {
            if (_pidfd < 0 || !launched.IsFound) return;
            if (_watched) EventLoop.Instance.Forget(_watch, _pidfd);
            _ = Kernel.close(_pidfd);
            if (_innerPidfd >= 0) _ = Kernel.close(_innerPidfd);
            ArenaPool.Return(_arena!);
            (_pidfd, _innerPidfd, _arena) = (-1, -1, null);
        }

        if (_exited.TrySetException(new ObjectDisposedException(nameof(IsolatedProcess)))) _ = _exited.Task.Exception;
    }
}
