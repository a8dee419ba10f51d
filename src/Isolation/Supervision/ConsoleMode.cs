using System.Runtime.InteropServices;
using Isolation.Interop;
using Isolation.Launching;

namespace Isolation.Supervision;

/// <summary>
/// Raw mode of a terminal that this app has, and its end on every way out. By ioctl and <see cref="PosixSignalRegistration"/>, as System.Console
/// has ideas of its own about a terminal's modes.
/// </summary>
/// <remarks>
/// The registrations come first: with its first one the runtime notes the modes that it will bring back at exit and after SIGCONT,
/// where it has changed them.
/// </remarks>
internal sealed unsafe class ConsoleMode : IDisposable
{
    private const string Label = "put this app's terminal in raw mode";
    private static readonly TimeSpan s_graceOfSignals = TimeSpan.FromSeconds(1);

    private readonly int _terminal;
    private readonly Action _resized;
    private readonly Lock _gate = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private termios2 _saved, _raw;
    private ConsoleKeeper? _keeper;
    private bool _isRaw, _ended;

    private ConsoleMode(int terminal, Action resized) => (_terminal, _resized) = (terminal, resized);

    internal static bool IsTerminal(int fd)
    {
        termios2 modes;
        return Kernel.ioctl(fd, Linux.TCGETS2, (nint)(&modes)) == 0;
    }

    /// <summary>Enters raw mode until disposed.</summary>
    /// <param name="terminal">A terminal, or -1: then only the size is looked after. Stays the caller's.</param>
    /// <param name="resized">Called when the size may have changed.</param>
    internal static ConsoleMode Enter(int terminal, Action resized)
    {
        var mode = new ConsoleMode(terminal, resized);
        try
        {
            mode.Begin();
            return mode;
        }
        catch
        {
            mode.Dispose();
            throw;
        }
    }

    /// <summary>Brings the modes back.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            Restore();
            _ended = true;
        }

        foreach (var registration in _registrations) registration.Dispose();
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        AppDomain.CurrentDomain.UnhandledException -= OnUnhandledException;
        _keeper?.Dispose();
    }

    private void Begin()
    {
        On(PosixSignal.SIGWINCH, _ => _resized());
        if (_terminal < 0) return;
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT]) On(signal, OnTermination);
        On(PosixSignal.SIGTSTP, OnStop);
        On(PosixSignal.SIGCONT, OnContinue);
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        AppDomain.CurrentDomain.UnhandledException += OnUnhandledException;

        termios2 modes;
        // A shell in whose background we are has the terminal in a mode of its own: this stops us (SIGTTOU) until it is ours.
        if (!IsForeground && Kernel.ioctl(_terminal, Linux.TCGETS2, (nint)(&modes)) == 0) _ = Kernel.ioctl(_terminal, Linux.TCSETS2, (nint)(&modes));
        var result = (int)Kernel.ioctl(_terminal, Linux.TCGETS2, (nint)(&modes));
        if (result < 0) throw LaunchFailure.Host(Label, "ioctl", -result);
        (_saved, _raw) = (modes, MakeRaw(modes));
        _keeper = ConsoleKeeper.Start(_terminal, _saved, _raw);
        lock (_gate)
        {
            result = Set(_raw);
            _isRaw = result >= 0;
        }

        if (result < 0) throw LaunchFailure.Host(Label, "ioctl", -result);
    }

    private void On(PosixSignal signal, Action<PosixSignalContext> handler) => _registrations.Add(PosixSignalRegistration.Create(signal, handler));

    /// <summary>cfmakeraw(3).</summary>
    private static termios2 MakeRaw(termios2 modes)
    {
        modes.c_iflag &= ~(Linux.IGNBRK | Linux.BRKINT | Linux.PARMRK | Linux.ISTRIP | Linux.INLCR | Linux.IGNCR | Linux.ICRNL | Linux.IXON);
        modes.c_oflag &= ~Linux.OPOST;
        modes.c_lflag &= ~(Linux.ECHO | Linux.ECHONL | Linux.ICANON | Linux.ISIG | Linux.IEXTEN);
        modes.c_cflag = modes.c_cflag & ~(Linux.CSIZE | Linux.PARENB) | Linux.CS8;
        modes.c_cc[Linux.VMIN] = 1;
        modes.c_cc[Linux.VTIME] = 0;
        return modes;
    }

    /// <summary>Who is in the background must leave the terminal alone: it is the shell's, or another program's.</summary>
    private bool IsForeground
    {
        get
        {
            int group;
            return Kernel.ioctl(_terminal, Linux.TIOCGPGRP, (nint)(&group)) != 0 || group == Kernel.getpgrp();
        }
    }

    private int Set(termios2 modes)
    {
        nint result;
        do result = Kernel.ioctl(_terminal, Linux.TCSETS2, (nint)(&modes));
        while (result == -(int)Errno.EINTR);
        return (int)result;
    }

    private void Restore()
    {
        if (_isRaw && IsForeground) _ = Set(_saved);
        _isRaw = false;
    }

    private void RestoreLocked()
    {
        lock (_gate) Restore();
    }

    private void Reenter()
    {
        lock (_gate)
        {
            if (_ended) return;
            _isRaw = IsForeground && Set(_raw) >= 0;
        }
    }

    private void OnExit(object? sender, EventArgs e) => RestoreLocked();

    private void OnUnhandledException(object? sender, UnhandledExceptionEventArgs e) => RestoreLocked();

    /// <summary>Who has registered before and canceled the signal goes on. Who does so later does as well, after a moment.</summary>
    private void OnTermination(PosixSignalContext context)
    {
        if (context.Cancel) return;
        RestoreLocked();
        _ = Task.Delay(s_graceOfSignals).ContinueWith(static (_, mode) => ((ConsoleMode)mode!).Reenter(), this, TaskScheduler.Default);
    }

    /// <summary>The runtime leaves it to whoever has registered to stop.</summary>
    private void OnStop(PosixSignalContext context)
    {
        if (context.Cancel) return;
        context.Cancel = true;
        RestoreLocked();
        _ = Kernel.kill(Kernel.getpid(), Linux.SIGSTOP);
    }

    /// <summary>Canceled, so that the runtime does not bring back the modes that it knows.</summary>
    private void OnContinue(PosixSignalContext context)
    {
        context.Cancel = true;
        Reenter();
        _resized();
    }
}
