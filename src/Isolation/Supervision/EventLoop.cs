using Isolation.Interop;
using Isolation.Launching;

namespace Isolation.Supervision;

/// <summary>
/// The one background thread: epoll over the pidfds and pipes of every sandbox. It runs no user code; whoever waits is
/// continued on the thread pool.
/// </summary>
internal sealed unsafe class EventLoop
{
    private const int Capacity = 1 << 17;
    private const int SegmentSize = 1 << 10;
    private const int Batch = 128;

    private static readonly Retried<EventLoop> s_instance = new(static () => new EventLoop());

    private readonly int _epoll;
    private readonly IndexPool _indices = new(Capacity);
    private readonly Entry[]?[] _segments = new Entry[]?[Capacity / SegmentSize];

    private struct Entry
    {
        internal IEventHandler? Handler;
        internal uint Generation;
    }

    private EventLoop()
    {
        _epoll = Kernel.AboveStandard(Kernel.epoll_create());
        if (_epoll < 0) throw LaunchFailure.Host("make the event loop", "epoll_create1", -_epoll);
        try
        {
            new Thread(Run, 256 * 1024) { IsBackground = true, Name = "Isolation events" }.UnsafeStart();
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException) // whatever a thread lacked
        {
            var spare = Spare();
            _ = Kernel.close(_epoll);
            throw spare < 0
                ? LaunchFailure.Host("make the event loop", "pipe2", -spare)
                : LaunchFailure.Host("make the event loop", "clone", (int)Errno.EAGAIN, null, "No thread can be started: RLIMIT_NPROC, pids.max or memory is exhausted");
        }
        catch
        {
            _ = Kernel.close(_epoll);
            throw;
        }
    }

    internal static EventLoop Instance => s_instance.Value;

    /// <summary>The runtime makes a pipe for each of its threads, and does not say that there was no descriptor left for it. Negative: the errno.</summary>
    private int Spare()
    {
        var first = Kernel.fcntl(_epoll, Linux.F_DUPFD_CLOEXEC, 3);
        if (first < 0) return first;
        var second = Kernel.fcntl(_epoll, Linux.F_DUPFD_CLOEXEC, 3);
        _ = Kernel.close(first);
        if (second >= 0) _ = Kernel.close(second);
        return second;
    }

    /// <summary>Watches for the first time that the descriptor is readable or hung up.</summary>
    /// <returns>A token for <see cref="Rearm"/> and <see cref="Forget"/>.</returns>
    internal ulong WatchOnce(int fd, IEventHandler handler) => Add(fd, handler, Linux.EPOLLIN);

    internal ulong Add(int fd, IEventHandler handler, uint events)
    {
        var index = _indices.Rent();
        if (index < 0) throw new InvalidOperationException($"More than {Capacity} descriptors of sandboxes are being waited for.");
        ref var entry = ref At(index);
        var generation = ++entry.Generation;
        Volatile.Write(ref entry.Handler, handler);
        var token = (ulong)generation << 32 | (uint)index;
        var change = EpollEvent.Create(events | Linux.EPOLLONESHOT, token);
        var result = Kernel.epoll_ctl(_epoll, Linux.EPOLL_CTL_ADD, fd, &change);
        if (result >= 0) return token;
        entry.Handler = null;
        _indices.Return(index);
        throw LaunchFailure.Host("watch a descriptor", "epoll_ctl", -result, null,
            result == -(int)Errno.ENOSPC ? "fs.epoll.max_user_watches is reached" : null);
    }

    internal void Rearm(ulong token, int fd, uint events)
    {
        var change = EpollEvent.Create(events | Linux.EPOLLONESHOT, token);
        _ = Kernel.epoll_ctl(_epoll, Linux.EPOLL_CTL_MOD, fd, &change);
    }

    /// <summary>Before the descriptor is closed.</summary>
    internal void Forget(ulong token, int fd)
    {
        EpollEvent ignored = default;
        _ = Kernel.epoll_ctl(_epoll, Linux.EPOLL_CTL_DEL, fd, &ignored);
        var index = (int)(uint)token;
        ref var entry = ref At(index);
        entry.Generation++;
        Volatile.Write(ref entry.Handler, null);
        _indices.Return(index);
    }

    private ref Entry At(int index)
    {
        ref var segment = ref _segments[index / SegmentSize];
        if (Volatile.Read(ref segment) is null) Interlocked.CompareExchange(ref segment, new Entry[SegmentSize], null);
        return ref segment![index % SegmentSize];
    }

    private void Run()
    {
        var events = stackalloc byte[Batch * 16];
        while (true)
        {
            var count = Kernel.epoll_wait(_epoll, events, Batch);
            for (var i = 0; i < count; i++)
            {
                EpollEvent.Read(events + i * EpollEvent.NativeSize, out var ready, out var token);
                ref var entry = ref At((int)(uint)token);
                var handler = Volatile.Read(ref entry.Handler);
                // An event of a batch may be about something that has been forgotten since.
                if (handler is not null && Volatile.Read(ref entry.Generation) == (uint)(token >> 32)) handler.OnReady(ready);
            }
        }
    }
}
