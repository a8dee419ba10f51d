using System.Threading.Tasks.Sources;
using Isolation.Interop;

namespace Isolation.Supervision;

/// <summary>Waits, without a thread, until a non-blocking descriptor is ready. One wait at a time; reused, so a wait allocates nothing.</summary>
internal sealed class Readiness(int fd, uint events) : IEventHandler, IValueTaskSource
{
    private const int Idle = 0, Waiting = 1, Closed = 2;

    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _cancellation;
    private ulong _token;
    private bool _added;
    private int _state;

    internal ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _core.Reset();
        var previous = Interlocked.CompareExchange(ref _state, Waiting, Idle);
        if (previous == Closed) throw new ObjectDisposedException(nameof(Stream));
        if (previous == Waiting) throw new InvalidOperationException("The stream is in use by another operation of the same kind.");
        var version = _core.Version;
        if (_added)
        {
            EventLoop.Instance.Rearm(_token, fd, events);
        }
        else
        {
            _token = EventLoop.Instance.Add(fd, this, events);
            _added = true;
            // Closed meanwhile: whoever closed could not know of the entry just made.
            if (Volatile.Read(ref _state) == Closed) EventLoop.Instance.Forget(_token, fd);
        }

        if (cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.UnsafeRegister(static (state, token) => ((Readiness)state!).Cancel(token), this);
        return new ValueTask(this, version);
    }

    public void OnReady(uint ready)
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Waiting) == Waiting) _core.SetResult(true);
    }

    /// <summary>Before the descriptor is closed: ends a wait with <see cref="ObjectDisposedException"/>.</summary>
    internal void Close()
    {
        var previous = Interlocked.Exchange(ref _state, Closed);
        if (previous == Waiting) _core.SetException(new ObjectDisposedException(nameof(Stream)));
        if (previous != Closed && _added) EventLoop.Instance.Forget(_token, fd);
    }

    private void Cancel(CancellationToken token)
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Waiting) == Waiting) _core.SetException(new OperationCanceledException(token));
    }

    void IValueTaskSource.GetResult(short token)
    {
        _cancellation.Dispose();
        _cancellation = default;
        _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
