using System.Runtime.InteropServices;
using Isolation.Supervision;

namespace Isolation;

// What can be done with a program that runs.
public sealed partial class IsolatedProcess
{
    /// <summary>Asks the program to end, and ends it with SIGKILL when it has not done so in time.</summary>
    /// <remarks>
    /// A program that is process 1 of its namespace and has no handler for <paramref name="signal"/> never notices it
    /// (pid_namespaces(7)) and is killed after <paramref name="grace"/>; <see cref="IsolationOptions.UseInit"/> gives the signal
    /// its usual effect.
    /// </remarks>
    /// <param name="grace">How long the program may take. <see cref="TimeSpan.Zero"/>: SIGKILL follows at once.
    /// <see cref="Timeout.InfiniteTimeSpan"/>: it never does.</param>
    /// <param name="signal">What it is asked with. Default: SIGTERM.</param>
    /// <param name="cancellationToken">Ends the patience: the program is killed now.</param>
    /// <returns>How it ended: <see cref="ProcessExitStatus.Reason"/> is <see cref="ProcessEndReason.Killed"/> when it had to be killed.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="grace"/> is negative, or no signal.</exception>
    public async Task<ProcessExitStatus> StopAsync(TimeSpan grace, PosixSignal signal = PosixSignal.SIGTERM, CancellationToken cancellationToken = default)
    {
        if (grace < TimeSpan.Zero && grace != Timeout.InfiniteTimeSpan)
            throw new ArgumentOutOfRangeException(nameof(grace), grace, "A time must not be negative.");
        if (!cancellationToken.IsCancellationRequested && Signal(signal))
        {
            try
            {
                return await _child.Exit.WaitAsync(grace, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException)
            {
                // It has not listened.
            }
        }

        _child.Kill();
        return await _child.Exit.ConfigureAwait(false);
    }

    /// <summary>
    /// The ids of all processes inside, as the host sees them, the sandbox's first process first. Without a PID namespace of
    /// its own: the program and its descendants but for those whose parents have ended.
    /// </summary>
    /// <remarks>A picture of a moment: processes may come and go while it is taken. Costs a few files of /proc for each.</remarks>
    /// <returns>Empty when the program has ended.</returns>
    /// <exception cref="InvalidOperationException">This app's /proc is that of another PID namespace.</exception>
    public IReadOnlyList<int> GetProcessIds() => _child.GetProcessIds();

    /// <summary>
    /// Stops every process inside with SIGSTOP, also those that are being made meanwhile, and returns when all stand still
    /// (or wait for a device, after which they will). Parents inside can see that their children are stopped.
    /// </summary>
    /// <returns>False when the program has ended.</returns>
    /// <exception cref="TimeoutException">After five seconds there were still new processes.</exception>
    /// <inheritdoc cref="GetProcessIds" path="/exception"/>
    public bool Pause() => _child.Pause();

    /// <summary>Lets every process inside go on with SIGCONT, those included that had been stopped from inside.</summary>
    /// <returns>False when the program has ended.</returns>
    /// <inheritdoc cref="GetProcessIds" path="/exception"/>
    public bool Resume() => _child.Resume();
}
