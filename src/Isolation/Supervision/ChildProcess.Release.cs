using Isolation.Launching;

namespace Isolation.Supervision;

// A program that is suspended: its sandbox is there, and it itself is not executed yet.
internal sealed partial class ChildProcess
{
    private PendingLaunch? _parked = launched.Parked;
    private Exception? _failure;
    private bool _releasing;

    /// <summary>It is neither released nor ended.</summary>
    internal bool IsSuspended
    {
        get
        {
            lock (_gate) return _parked is not null && !_releasing;
        }
    }

    /// <summary>Returns when the program runs. When that fails it is ended, and everything undone.</summary>
    internal void Release()
    {
        var launch = BeginRelease();
        try
        {
            launch.Finish();
        }
        catch (Exception e)
        {
            EndRelease(launch, e);
            Kill();
            Wait(null);
            CloseStreams();
            throw;
        }

        EndRelease(launch, null);
    }

    /// <summary>The same without a thread waiting.</summary>
    internal async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        var launch = BeginRelease();
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            await launch.FinishAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            EndRelease(launch, e);
            Kill();
            await ((Task)Exit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            CloseStreams();
            throw;
        }

        EndRelease(launch, null);
    }

    internal void CloseStreams()
    {
        Input?.Dispose();
        Output?.Dispose();
        Error?.Dispose();
        Terminal?.Dispose();
    }

    /// <summary>From here on nobody else reaps it, so that descriptors and arena stay what they are.</summary>
    private PendingLaunch BeginRelease()
    {
        lock (_gate)
        {
            if (launched.Parked is null) throw new InvalidOperationException("The program was not started suspended.");
            if (_parked is null || _releasing)
                throw new InvalidOperationException(_pidfd < 0 ? "The program has ended." : "The program has been released before.");
            _releasing = true;
            return _parked;
        }
    }

    private void EndRelease(PendingLaunch launch, Exception? failure)
    {
        lock (_gate)
        {
            _releasing = false;
            _parked = null;
            Listener = launch.Listener;
            launch.Forget();
            // One that was killed or canceled has ended as it has; one that could not be executed never was there.
            if (failure is not null && _arena!.Header.Failed >= 0) _failure = failure;
            if (failure is null && !launched.IsSupervised)
            {
                ArenaPool.Return(_arena!);
                _arena = null;
            }
        }

        if (failure is null) Log.Started(launched.Logger, launched.Name, ProcessId);
        TryReap(); // the event loop may have been told of its end meanwhile
    }
}
