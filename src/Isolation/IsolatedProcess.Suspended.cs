using Isolation.Launching;
using Isolation.Supervision;

namespace Isolation;

// Starts in two steps: the sandbox first, the program later.
public sealed partial class IsolatedProcess
{
    /// <summary>
    /// Sets the sandbox up to the very last step, the execution of the program, and returns. The program runs when <see cref="Release"/> is called, and
    /// that takes no longer than the exec: everything dear has been done before. Until then the sandbox is there, with its process id,
    /// namespaces, limits and filters, and costs no thread; it can be signaled, paused, waited for and ended like one that runs.
    /// </summary>
    /// <remarks>
    /// <see cref="Resume"/> is something else: SIGCONT. The program's own errors, such as that there is no such file, are those of the release.
    /// A seccomp profile that forbids futex(2) or write(2) is put in place by the release.
    /// </remarks>
    /// <inheritdoc cref="Start(IsolationOptions)" path="/exception"/>
    public static IsolatedProcess StartSuspended(IsolationOptions options) => new(LaunchSuspended(options));

    /// <summary>The same without a thread waiting for the set-up.</summary>
    /// <exception cref="OperationCanceledException">Canceled before the sandbox was ready. Nothing is left behind.</exception>
    /// <inheritdoc cref="StartSuspended"/>
    public static async Task<IsolatedProcess> StartSuspendedAsync(IsolationOptions options, CancellationToken cancellationToken = default) =>
        new(await LaunchSuspendedAsync(options, cancellationToken).ConfigureAwait(false));

    /// <summary>Whether the program was started suspended and has neither been released nor ended.</summary>
    public bool IsSuspended => _child.IsSuspended;

    /// <summary>Executes a program that was started suspended, and returns once the kernel has accepted it.</summary>
    /// <exception cref="IsolationException">The program could not be executed, or its sandbox was killed meanwhile. Nothing is left behind.</exception>
    /// <exception cref="InvalidOperationException">The program was not started suspended, has been released before, or has ended.</exception>
    public void Release()
    {
        var since = Telemetry.NowOfRelease();
        try
        {
            _child.Release();
            Telemetry.Released(since, null);
        }
        catch (Exception e)
        {
            ReleaseFailed(since, e);
            throw;
        }
    }

    /// <summary>The same without a thread waiting for the exec.</summary>
    /// <exception cref="OperationCanceledException">Canceled before the program ran, which has ended the sandbox. Nothing is left behind.</exception>
    /// <inheritdoc cref="Release"/>
    public async Task ReleaseAsync(CancellationToken cancellationToken = default)
    {
        var since = Telemetry.NowOfRelease();
        try
        {
            await _child.ReleaseAsync(cancellationToken).ConfigureAwait(false);
            Telemetry.Released(since, null);
        }
        catch (Exception e)
        {
            ReleaseFailed(since, e);
            throw;
        }
    }

    private void ReleaseFailed(long since, Exception exception)
    {
        if (exception is InvalidOperationException) return; // there was none
        Telemetry.Released(since, exception);
        if (exception is IsolationException) Log.Failed(_child.Logger, _child.Name, exception);
    }

    internal static ChildProcess LaunchSuspended(IsolationOptions options, LaunchMode mode = default, LaunchHooks? hooks = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var activity = Telemetry.Starting(options);
        var since = Telemetry.Now();
        try
        {
            var launch = Begin(options, mode with { Suspended = true }, hooks);
            launch.Park();
            var child = Entered(options, launch.HandOver());
            Telemetry.Started(activity, since, child);
            return child;
        }
        catch (Exception e)
        {
            Failed(options, activity, since, e);
            throw;
        }
    }

    internal static async Task<ChildProcess> LaunchSuspendedAsync(IsolationOptions options, CancellationToken cancellationToken, LaunchHooks? hooks = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        cancellationToken.ThrowIfCancellationRequested();
        using var activity = Telemetry.Starting(options);
        var since = Telemetry.Now();
        try
        {
            var launch = Begin(options, new LaunchMode(Async: true, Suspended: true), hooks);
            await launch.ParkAsync(cancellationToken).ConfigureAwait(false);
            var child = Entered(options, launch.HandOver());
            Telemetry.Started(activity, since, child);
            return child;
        }
        catch (Exception e)
        {
            Failed(options, activity, since, e);
            throw;
        }
    }
}
