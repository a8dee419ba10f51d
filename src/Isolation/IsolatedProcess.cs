using System.Diagnostics;
using System.Runtime.InteropServices;
using Isolation.Launching;
using Isolation.Supervision;

namespace Isolation;

/// <summary>
/// A program that runs in namespaces of its own. Disposing it ends the program and everything in its PID namespace, and
/// releases what belonged to it.
/// </summary>
public sealed partial class IsolatedProcess : IDisposable, IAsyncDisposable
{
    private readonly ChildProcess _child;

    private IsolatedProcess(ChildProcess child) => _child = child;

    /// <summary>Starts a program and returns once the kernel has accepted it: its exec can no longer fail with an error.</summary>
    /// <remarks>/proc may show the program's name and arguments only a few microseconds after the return.</remarks>
    /// <exception cref="ArgumentException">An option is out of range or contradicts another. Nothing has been created.</exception>
    /// <exception cref="IsolationException">The sandbox could not be set up or the program not be executed. Nothing is left behind.</exception>
    /// <exception cref="PlatformNotSupportedException">Not Linux on x64 or arm64.</exception>
    public static IsolatedProcess Start(IsolationOptions options) => new(Launch(options, default));

    /// <summary>
    /// The same without a thread waiting for the set-up. The clone itself happens on the calling thread, as with <see cref="Start(IsolationOptions)"/>.
    /// </summary>
    /// <exception cref="OperationCanceledException">Canceled before the program ran. Nothing is left behind.</exception>
    /// <inheritdoc cref="Start(IsolationOptions)" path="/exception"/>
    public static async Task<IsolatedProcess> StartAsync(IsolationOptions options, CancellationToken cancellationToken = default) =>
        new(await LaunchAsync(options, default, cancellationToken).ConfigureAwait(false));

    internal ChildProcess Child => _child;

    /// <summary>The process id of the sandbox's first process, as the host sees it.</summary>
    public int ProcessId => _child.ProcessId;

    /// <summary>The process id that the program has for itself: 1 in a new PID namespace, 2 under <see cref="IsolationOptions.UseInit"/>.</summary>
    public int InnerProcessId => _child.InnerProcessId;

    /// <summary>What the kernel enforces of <see cref="SecurityOptions.Landlock"/>; null without a policy.</summary>
    public LandlockReport? Landlock => _child.Enforced.Landlock;

    /// <summary>What confines the program: what was really done when it was started, which <see cref="EnforcementReport.ToString"/> prints.</summary>
    /// <exception cref="InvalidOperationException">It was found by <see cref="FindDetached"/>: what was done is known to the object that started it only.</exception>
    public EnforcementReport Enforced => field ??= _child.Enforced.IsKnown ? new EnforcementReport(_child.Enforced)
        : throw new InvalidOperationException("What confines the program is known to the object that started it, and not noted for others that find it.");

    /// <summary>The pipe to the program's standard input. Disposing it is the program's end of file.</summary>
    /// <exception cref="InvalidOperationException">Standard input is not <see cref="StandardStream.Pipe"/>.</exception>
    public Stream StandardInput => _child.Input ?? throw NotPiped(nameof(StandardInput));

    /// <summary>The pipe from the program's standard output.</summary>
    /// <exception cref="InvalidOperationException">Standard output is not <see cref="StandardStream.Pipe"/>.</exception>
    public Stream StandardOutput => _child.Output ?? throw NotPiped(nameof(StandardOutput));

    /// <summary>The pipe from the program's standard error.</summary>
    /// <exception cref="InvalidOperationException">Standard error is not <see cref="StandardStream.Pipe"/>.</exception>
    public Stream StandardError => _child.Error ?? throw NotPiped(nameof(StandardError));

    /// <summary>The program's terminal.</summary>
    /// <exception cref="InvalidOperationException">It has none: <see cref="IsolationOptions.Terminal"/> is null.</exception>
    public Terminal Terminal => _child.Terminal ?? throw new InvalidOperationException("The program has no terminal. Set IsolationOptions.Terminal.");

    /// <summary>Whether the program has ended.</summary>
    public bool HasExited => _child.TryReap();

    /// <summary>How the program ended.</summary>
    /// <exception cref="InvalidOperationException">It has not.</exception>
    public ProcessExitStatus ExitStatus => _child.TryReap()
        ? _child.Exit.GetAwaiter().GetResult()
        : throw new InvalidOperationException("The program is still running.");

    /// <summary>Waits for the program to end. Cancelling ends the wait, not the program.</summary>
    /// <exception cref="OperationCanceledException">Canceled before the end.</exception>
    public Task<ProcessExitStatus> WaitForExitAsync(CancellationToken cancellationToken = default) => _child.Exit.WaitAsync(cancellationToken);

    /// <summary>Waits for the program to end, on the calling thread.</summary>
    /// <param name="timeout">How long. Null or <see cref="Timeout.InfiniteTimeSpan"/>: without end.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative.</exception>
    /// <exception cref="TimeoutException">It did not end within <paramref name="timeout"/>; it still runs.</exception>
    public ProcessExitStatus WaitForExit(TimeSpan? timeout = null)
    {
        if (!_child.Wait(Limit(timeout))) throw new TimeoutException("The program did not end within the time given.");
        return _child.Exit.GetAwaiter().GetResult();
    }

    /// <summary>
    /// Sends a signal to the program. A program that is process 1 of its namespace gets only SIGKILL, SIGSTOP, SIGCONT and
    /// signals it has a handler for (pid_namespaces(7)); under <see cref="IsolationOptions.UseInit"/> signals have their usual effect.
    /// </summary>
    /// <remarks>
    /// SIGTSTP, SIGTTIN and SIGTTOU do nothing to a program without a handler for them: it leads a session of its own, and who is in
    /// no shell's hands must not be stopped by a terminal (setpgid(2), orphaned process groups). SIGSTOP stops any program.
    /// </remarks>
    /// <returns>False when the program has ended.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Not a signal.</exception>
    public bool Signal(PosixSignal signal) => _child.Signal(PosixSignals.ToNumber(signal));

    /// <summary>
    /// Ends the program with SIGKILL, and with it everything in its PID namespace; without one, everything in its process
    /// group. Returns at once; does nothing when the program has ended.
    /// </summary>
    public void Kill() => _child.Kill();

    /// <summary>Ends the program, waits for its end, and closes the pipes. A detached program (<see cref="StartDetached"/>) goes on.</summary>
    public void Dispose()
    {
        if (_child.DetachedName is not null)
        {
            _child.Dismiss();
            return;
        }

        _child.Kill();
        _child.Wait(timeout: null);
        _child.CloseStreams();
    }

    /// <summary>Ends the program, waits for its end without blocking a thread, and closes the pipes. A detached program (<see cref="StartDetached"/>) goes on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_child.DetachedName is not null)
        {
            _child.Dismiss();
            return;
        }

        _child.Kill();
        await ((Task)_child.Exit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _child.CloseStreams();
    }

    internal static ChildProcess Launch(IsolationOptions options, LaunchMode mode, LaunchHooks? hooks = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var activity = Telemetry.Starting(options);
        var since = Telemetry.Now();
        try
        {
            var child = Entered(options, Begin(options, mode, hooks).Complete());
            Telemetry.Started(activity, since, child);
            return child;
        }
        catch (Exception e)
        {
            Failed(options, activity, since, e);
            throw;
        }
    }

    internal static async Task<ChildProcess> LaunchAsync(IsolationOptions options, LaunchMode mode, CancellationToken cancellationToken, LaunchHooks? hooks = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        cancellationToken.ThrowIfCancellationRequested();
        using var activity = Telemetry.Starting(options);
        var since = Telemetry.Now();
        try
        {
            var child = Entered(options, await Begin(options, mode with { Async = true }, hooks).CompleteAsync(cancellationToken).ConfigureAwait(false));
            Telemetry.Started(activity, since, child);
            return child;
        }
        catch (Exception e)
        {
            Failed(options, activity, since, e);
            throw;
        }
    }

    /// <summary>What is not in the sandbox's PID namespace is not ended with it by the kernel.</summary>
    private static ChildProcess Entered(IsolationOptions options, ChildProcess child)
    {
        if (options.Join is { Sandbox: { } sandbox } source && (source.Namespaces & Namespaces.Mount) != 0 && (source.Namespaces & sandbox.Policy.Namespaces & Namespaces.Pid) == 0)
            child.EndWith(sandbox);
        return child;
    }

    private static void Failed(IsolationOptions options, Activity? activity, long since, Exception exception)
    {
        Telemetry.Failed(activity, since, exception);
        if (exception is IsolationException) Log.Failed(options.Logger, options.FileName, exception);
    }

    private static PendingLaunch Begin(IsolationOptions options, LaunchMode mode, LaunchHooks? hooks)
    {
        Interop.Platform.ThrowIfUnsupported();
        var launch = Launcher.Begin(options, mode, hooks);
        Log.Plan(options.Logger, options.FileName, launch.Arena.Plan);
        Log.Landlock(options.Logger, options.FileName, launch.Arena.Plan.Landlock);
        return launch;
    }

    /// <summary>Null for no limit, which <see cref="Timeout.InfiniteTimeSpan"/> stands for as well.</summary>
    private static TimeSpan? Limit(TimeSpan? timeout) =>
        timeout is not { } value || value == Timeout.InfiniteTimeSpan ? null
        : value >= TimeSpan.Zero ? value
        : throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "A timeout must not be negative; null waits without end.");

    private static InvalidOperationException NotPiped(string stream) =>
        new($"{stream} of the program is not a pipe. Set IsolationOptions.{stream} to StandardStream.Pipe.");
}
