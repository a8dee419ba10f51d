using System.Threading.Tasks.Sources;
using Isolation.Interop;

namespace Isolation.Supervision;

/// <summary>Waits, without a thread, until a non-blocking descriptor is ready. One wait at a time; reused, so a wait allocates nothing.</summary>
internal sealed class Readiness(int fd, uint events) : IEventHandler, IValueTaskSource
{
    // A wait holds the state from its first step until its result is taken: a second one must not touch what the first uses.
    private const int Idle = 0, Preparing = 1, Waiting = 2, Done = 3, Closed = 4;
    private const int NotWatched = 0, Watched = 1, Forgotten = 2;

    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _cancellation;
    private ulong _token;
    private int _watch;
    private int _state;

    internal ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var previous = Interlocked.CompareExchange(ref _state, Preparing, Idle);
        if (previous == Closed) throw new ObjectDisposedException(nameof(Stream));
        if (previous != Idle) throw new InvalidOperationException("The stream is in use by another operation of the same kind.");
        _core.Reset();
        var version = _core.Version;
        if (Interlocked.CompareExchange(ref _state, Waiting, Preparing) == Closed) throw new ObjectDisposedException(nameof(Stream));
        try
        {
            Watch();
        }
        catch
        {
            Interlocked.CompareExchange(ref _state, Idle, Waiting);
            throw;
        }

        if (cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.UnsafeRegister(static (state, token) => ((Readiness)state!).Cancel(token), this);
        return new ValueTask(this, version);
    }

    public void OnReady(uint ready)
    {
        if (Interlocked.CompareExchange(ref _state, Done, Waiting) == Waiting) _core.SetResult(true);
    }

    /// <summary>Before the descriptor is closed: ends a wait with <see cref="ObjectDisposedException"/>.</summary>
    internal void Close()
    {
        if (Interlocked.Exchange(ref _state, Closed) == Waiting) _core.SetException(new ObjectDisposedException(nameof(Stream)));
        if (Interlocked.Exchange(ref _watch, Forgotten) == Watched) EventLoop.Instance.Forget(_token, fd);
    }

    private void Watch()
    {
        if (Volatile.Read(ref _watch) == Watched)
        {
            EventLoop.Instance.Rearm(_token, fd, events);
            return;
        }

        _token = EventLoop.Instance.Add(fd, this, events);
        // Closed meanwhile: whoever closed could not know of the entry just made.
        if (Interlocked.CompareExchange(ref _watch, Watched, NotWatched) == Forgotten) EventLoop.Instance.Forget(_token, fd);
    }

    private void Cancel(CancellationToken token)
    {
        if (Interlocked.CompareExchange(ref _state, Done, Waiting) == Waiting) _core.SetException(new OperationCanceledException(token));
    }

    void IValueTaskSource.GetResult(short token)
    {
        _cancellation.Dispose();
        _cancellation = default;
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            Interlocked.CompareExchange(ref _state, Idle, Done);
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
