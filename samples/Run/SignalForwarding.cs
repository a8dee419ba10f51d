using System.Runtime.InteropServices;
using Isolation;

namespace Isolation.Samples;

/// <summary>What a terminal or a supervisor sends to this process is meant for the program; before there is one, it ends the preparations.</summary>
internal sealed class SignalForwarding : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _cancellation = new();
    private readonly PosixSignalRegistration[] _registrations;
    private IsolatedProcess? _process;
    private PosixSignal? _early;

    internal SignalForwarding(params PosixSignal[] signals) =>
        _registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, Handle))];

    internal CancellationToken Cancelled => _cancellation.Token;

    /// <summary>The program runs: it gets all signals from now on, and the one that came while its start could no longer be cancelled.</summary>
    internal void To(IsolatedProcess process)
    {
        lock (_lock)
        {
            _process = process;
            if (_early is { } signal) process.Signal(signal);
        }
    }

    /// <summary>Signals have their usual effect again.</summary>
    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _cancellation.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        lock (_lock)
        {
            if (_process is not null)
            {
                _process.Signal(context.Signal);
                return;
            }

            _early = context.Signal;
        }

        _cancellation.Cancel();
    }
}
