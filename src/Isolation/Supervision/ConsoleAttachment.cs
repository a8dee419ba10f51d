using Isolation.Interop;
using Isolation.Launching;

namespace Isolation.Supervision;

/// <summary>
/// Moves bytes between a sandbox's terminal and this app's own. On a thread of its own, of which an app has as many as it has consoles: a
/// standard stream may be a file, which epoll does not take, or must not be made non-blocking.
/// </summary>
internal sealed class ConsoleAttachment(Terminal terminal, TerminalAttachOptions options, Task exit) : IDisposable
{
    internal const string Label = "connect a terminal";

    private const int Chunk = 16 * 1024;
    private const int ReadsAtOnce = 16; // before the keys have their turn
    private const int SafeWrite = 4096; // PIPE_BUF: what poll has promised room for
    private const byte EndOfInput = 4; // Ctrl-D

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<TerminalEnd> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DetachKeys? _detachKeys = options.DetachKeys is { } keys ? DetachKeys.Parse(keys) : null;
    private ConsoleDescriptor _input = ConsoleDescriptor.None, _output = ConsoleDescriptor.None;
    private ConsoleMode? _mode;
    private int _master = -1, _wake = -1;
    private volatile bool _closed;
    private CancellationToken _cancellation;

    // What has been read and not yet been written.
    private readonly byte[] _shown = new byte[Chunk], _read = new byte[Chunk];
    private byte[] _typed = [];
    private int _shownStart, _shownEnd, _typedStart, _typedEnd;
    private bool _masterEnded, _inputEnded, _inLine;

    internal async Task<TerminalEnd> RunAsync(CancellationToken cancellationToken)
    {
        _cancellation = cancellationToken;
        Prepare();
        new Thread(Run, 256 * 1024) { IsBackground = true, Name = "Isolation terminal" }.UnsafeStart();
        using var over = new CancellationTokenSource(); // takes the continuation off a program that goes on
        await using (cancellationToken.UnsafeRegister(static attachment => ((ConsoleAttachment)attachment!).Wake(), this))
        {
            _ = exit.ContinueWith(static (_, attachment) => ((ConsoleAttachment)attachment!).Wake(), this, over.Token, TaskContinuationOptions.None, TaskScheduler.Default);
            try
            {
                return await _done.Task.ConfigureAwait(false);
            }
            finally
            {
                await over.CancelAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>The terminal is being disposed.</summary>
    internal void Close()
    {
        _closed = true;
        Wake();
    }

    /// <summary>The thread has ended, or was never started.</summary>
    public void Dispose()
    {
        _mode?.Dispose();
        lock (_gate)
        {
            if (_wake >= 0) _ = Kernel.close(_wake);
            _wake = -1;
        }

        if (_master >= 0) _ = Kernel.close(_master);
        _input.Close();
        _output.Close();
        (_master, _input, _output) = (-1, ConsoleDescriptor.None, ConsoleDescriptor.None);
    }

    private void Prepare()
    {
        _wake = Kernel.AboveStandard(Kernel.eventfd());
        if (_wake < 0) throw LaunchFailure.Host(Label, "eventfd2", -_wake);
        _master = terminal.Duplicate();
        _output = ConsoleDescriptor.Open(options.Output, 1, Linux.O_WRONLY);
        if (options.ForwardInput) _input = ConsoleDescriptor.Open(options.Input, 0, Linux.O_RDONLY);
        _inputEnded = !options.ForwardInput;
        _typed = new byte[Chunk + (_detachKeys?.Length ?? 0)];
        Resize();
        _mode = ConsoleMode.Enter(_input.IsTerminal ? _input.Number : -1, Resize);
    }

    /// <summary>The program's terminal follows this app's.</summary>
    private void Resize()
    {
        if (!(_output.IsTerminal && ConsoleSize.TryGet(_output.Number, out var size)) && !(_input.IsTerminal && ConsoleSize.TryGet(_input.Number, out size))) return;
        try
        {
            terminal.Resize(size.ws_col, size.ws_row);
        }
        catch (Exception e) when (e is ObjectDisposedException or IOException)
        {
            // It is over, which the thread is about to notice.
        }
    }

    private void Wake()
    {
        lock (_gate)
            if (_wake >= 0) _ = Kernel.write(_wake, BitConverter.GetBytes(1ul));
    }

    private void Run()
    {
        try
        {
            var end = Pump();
            _mode!.Dispose();
            _done.SetResult(end);
        }
        catch (Exception e)
        {
            _mode!.Dispose();
            _done.SetException(e);
        }
    }

    private TerminalEnd Pump()
    {
        Span<pollfd> waits = stackalloc pollfd[4];
        Span<byte> wakes = stackalloc byte[sizeof(ulong)];
        while (true)
        {
            // Asked before the read: what was written before the end is then there to be read.
            var exited = exit.IsCompleted;
            var more = Show();
            Type();
            var pending = _shownEnd > _shownStart;
            if (!pending && (_masterEnded || exited && !more)) return TerminalEnd.Closed;
            _cancellation.ThrowIfCancellationRequested();
            if (_closed) return exited ? TerminalEnd.Closed : throw new ObjectDisposedException(nameof(Terminal));

            var typing = _typedEnd > _typedStart;
            waits[0] = new pollfd { fd = _wake, events = Linux.POLLIN };
            // Not asked about what is of no interest now: a hang-up would be told again and again.
            var wanted = (pending ? 0 : Linux.POLLIN) | (typing ? Linux.POLLOUT : 0);
            waits[1] = new pollfd { fd = _masterEnded || wanted == 0 ? -1 : _master, events = (short)wanted };
            waits[2] = new pollfd { fd = _inputEnded || typing ? -1 : _input.Number, events = Linux.POLLIN };
            // Also asked when there is nothing to show: whoever was to see it may be gone for good.
            waits[3] = new pollfd { fd = _output.Number, events = pending ? Linux.POLLOUT : (short)0 };
            _ = Kernel.poll(waits, more && !pending ? TimeSpan.Zero : null);
            if (waits[0].revents != 0) _ = Kernel.read(_wake, wakes);
            if (pending && waits[3].revents != 0) Write(SafeWrite);
            else if ((waits[3].revents & (Linux.POLLERR | Linux.POLLHUP)) != 0) throw Failed("write", -(int)(_output.IsTerminal ? Errno.EIO : Errno.EPIPE));
            if (waits[2].revents != 0 && ReadKeys()) return TerminalEnd.Detached;
        }
    }

    /// <summary>From the program's terminal to the output, a few times over; true when there may be more at once.</summary>
    private bool Show()
    {
        for (var i = 0; i < ReadsAtOnce; i++)
        {
            if (_shownEnd > _shownStart) return true;
            if (_masterEnded) return false;
            var result = Kernel.read(_master, _shown);
            if (result == -(int)Errno.EAGAIN) return false;
            if (result == -(int)Errno.EINTR) continue;
            _masterEnded = result is 0 or -(int)Errno.EIO;
            if (result <= 0 && !_masterEnded) throw Failed("read", result);
            (_shownStart, _shownEnd) = (0, (int)Math.Max(result, 0));
            if (!_output.Blocks) Write(Chunk);
        }

        return true;
    }

    private void Write(int most)
    {
        while (_shownEnd > _shownStart)
        {
            var result = Kernel.write(_output.Number, _shown.AsSpan(_shownStart, Math.Min(most, _shownEnd - _shownStart)));
            if (result == -(int)Errno.EAGAIN) return;
            if (result == -(int)Errno.EINTR) continue;
            if (result < 0) throw Failed("write", result);
            _shownStart += (int)result;
            if (_output.Blocks) return;
        }
    }

    /// <summary>From the input to the program's terminal, as far as that takes it.</summary>
    private void Type()
    {
        while (_typedEnd > _typedStart)
        {
            var result = Kernel.write(_master, _typed.AsSpan(_typedStart, _typedEnd - _typedStart));
            if (result == -(int)Errno.EAGAIN) return;
            if (result == -(int)Errno.EINTR) continue;
            _typedStart = result < 0 ? _typedEnd : _typedStart + (int)result; // nobody is left to read it
        }
    }

    /// <summary>True when the keys to detach are among what has been typed.</summary>
    private bool ReadKeys()
    {
        var result = Kernel.read(_input.Number, _read);
        if (result is -(int)Errno.EAGAIN or -(int)Errno.EINTR) return false;
        (_typedStart, _typedEnd) = (0, 0);
        if (result <= 0)
        {
            _inputEnded = true;
            if (_input.IsTerminal) return false; // it has been hung up
            // At the beginning of a line it is the end, within one it only sends that off: tty_ioctl(4), VEOF
            if (_inLine) _typed[_typedEnd++] = EndOfInput;
            _typed[_typedEnd++] = EndOfInput;
            return false;
        }

        var keys = _read.AsSpan(0, (int)result);
        _inLine = keys[^1] is not ((byte)'\n' or (byte)'\r');
        var detached = false;
        if (_detachKeys is not null)
        {
            _typedEnd = _detachKeys.Filter(keys, _typed, out detached);
        }
        else
        {
            keys.CopyTo(_typed);
            _typedEnd = keys.Length;
        }

        if (detached) Type();
        return detached;
    }

    private static IOException Failed(string syscall, nint result) => new($"{syscall} failed with {ErrnoExtensions.Describe((int)-result)}.", (int)-result);
}
