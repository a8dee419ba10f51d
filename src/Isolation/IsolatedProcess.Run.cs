using CommunityToolkit.HighPerformance.Buffers;
using Isolation.Launching;
using Isolation.Supervision;

namespace Isolation;

// The calls that start a program, wait for its end and leave nothing behind.
public sealed partial class IsolatedProcess
{
    /// <summary>Runs a program to its end. A terminal of its own is connected to this app's, as <see cref="Terminal.AttachAsync"/> does.</summary>
    /// <param name="options">What to run. No standard stream may be <see cref="StandardStream.Pipe"/>, as nobody would serve it.</param>
    /// <param name="timeout">After this time, set-up included, the program is killed and the status says canceled. Null or
    /// <see cref="Timeout.InfiniteTimeSpan"/>: no limit.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative.</exception>
    /// <exception cref="TimeoutException">The time was up before the program ran.</exception>
    /// <inheritdoc cref="Start(IsolationOptions)" path="/exception"/>
    public static ProcessExitStatus Run(IsolationOptions options, TimeSpan? timeout = null)
    {
        timeout = Limit(timeout);
        CheckUnpiped(options, capture: false);
        var end = Deadline(timeout);
        var child = Launch(options, new LaunchMode(Deadline: end));
        var canceled = false;
        try
        {
            var attached = child.Terminal?.AttachAsync();
            // When it could not be connected, nobody sees it.
            _ = attached?.ContinueWith(static (_, child) => ((ChildProcess)child!).Kill(ProcessEndReason.Killed), child, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            canceled = !child.Wait(Left(timeout, end));
            if (canceled) child.Kill(ProcessEndReason.TimedOut);
            attached?.GetAwaiter().GetResult();
        }
        finally
        {
            End(child, canceled ? ProcessEndReason.TimedOut : ProcessEndReason.Killed);
        }

        return Marked(child.Exit.GetAwaiter().GetResult(), canceled);
    }

    /// <summary>
    /// Runs a program to its end without blocking a thread. A terminal of its own is connected to this app's, as
    /// <see cref="Terminal.AttachAsync"/> does.
    /// </summary>
    /// <param name="options">What to run. No standard stream may be <see cref="StandardStream.Pipe"/>, as nobody would serve it.</param>
    /// <param name="cancellationToken">Kills the program; the status then says canceled.</param>
    /// <exception cref="OperationCanceledException">Canceled before the program ran.</exception>
    /// <inheritdoc cref="Start(IsolationOptions)" path="/exception"/>
    public static async Task<ProcessExitStatus> RunAsync(IsolationOptions options, CancellationToken cancellationToken = default)
    {
        CheckUnpiped(options, capture: false);
        var child = await LaunchAsync(options, default, cancellationToken).ConfigureAwait(false);
        await using (cancellationToken.UnsafeRegister(static state => ((ChildProcess)state!).Kill(ProcessEndReason.Canceled), child))
        {
            try
            {
                if (child.Terminal is { } terminal) await terminal.AttachAsync(cancellationToken: CancellationToken.None).ConfigureAwait(false);
                return Marked(await child.Exit.ConfigureAwait(false), cancellationToken.IsCancellationRequested);
            }
            finally
            {
                if (child.Terminal is not null)
                {
                    child.Kill(ProcessEndReason.Killed); // when it could not be connected, nobody sees it
                    await child.Exit.ConfigureAwait(false);
                    child.CloseStreams();
                }
            }
        }
    }

    /// <summary>
    /// Runs a program to its end and returns what it wrote. Needs no thread but the calling one. Standard output and error are
    /// captured unless the options send them somewhere else.
    /// </summary>
    /// <param name="options">What to run. Standard input may not be <see cref="StandardStream.Pipe"/>.</param>
    /// <param name="timeout">After this time, set-up included, the program is killed and the status says canceled. Null or
    /// <see cref="Timeout.InfiniteTimeSpan"/>: no limit.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative.</exception>
    /// <exception cref="TimeoutException">The time was up before the program ran.</exception>
    /// <inheritdoc cref="Start(IsolationOptions)" path="/exception"/>
    public static ProcessTextOutput RunAndCaptureText(IsolationOptions options, TimeSpan? timeout = null)
    {
        timeout = Limit(timeout);
        CheckUnpiped(options, capture: true);
        var end = Deadline(timeout);
        var child = Launch(options, new LaunchMode(Capture: true, Deadline: end));
        using var output = new ArrayPoolBufferWriter<byte>();
        using var error = new ArrayPoolBufferWriter<byte>();
        var canceled = false;
        try
        {
            canceled = !OutputCapture.Read(child, output, error, Left(timeout, end)) || !child.Wait(Left(timeout, end));
            if (canceled)
            {
                child.Kill(ProcessEndReason.TimedOut);
                child.Wait(null);
                OutputCapture.ReadRest(child.Output, output);
                OutputCapture.ReadRest(child.Error, error);
            }
        }
        finally
        {
            End(child);
        }

        return Text(child, Marked(child.Exit.GetAwaiter().GetResult(), canceled), output, error);
    }

    /// <summary>Runs a program to its end and returns what it wrote, without blocking a thread.</summary>
    /// <param name="options">What to run. Standard input may not be <see cref="StandardStream.Pipe"/>.</param>
    /// <param name="cancellationToken">Kills the program; the status then says canceled, and the text is what had been written.</param>
    /// <exception cref="OperationCanceledException">Canceled before the program ran.</exception>
    /// <inheritdoc cref="Start(IsolationOptions)" path="/exception"/>
    public static async Task<ProcessTextOutput> RunAndCaptureTextAsync(IsolationOptions options, CancellationToken cancellationToken = default)
    {
        CheckUnpiped(options, capture: true);
        var child = await LaunchAsync(options, new LaunchMode(Capture: true), cancellationToken).ConfigureAwait(false);
        using var output = new ArrayPoolBufferWriter<byte>();
        using var error = new ArrayPoolBufferWriter<byte>();
        try
        {
            await using (cancellationToken.UnsafeRegister(static state => ((ChildProcess)state!).Kill(ProcessEndReason.Canceled), child))
            {
                try
                {
                    await Task.WhenAll(OutputCapture.ReadAsync(child.Output, output, cancellationToken), OutputCapture.ReadAsync(child.Error, error, cancellationToken)).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    await child.Exit.ConfigureAwait(false);
                    OutputCapture.ReadRest(child.Output, output);
                    OutputCapture.ReadRest(child.Error, error);
                }

                var status = Marked(await child.Exit.ConfigureAwait(false), cancellationToken.IsCancellationRequested);
                return Text(child, status, output, error);
            }
        }
        finally
        {
            child.Kill();
            await child.Exit.ConfigureAwait(false);
            child.Output?.Dispose();
            child.Error?.Dispose();
        }
    }

    /// <summary>A program that had ended by itself when its time was up was not canceled.</summary>
    private static ProcessExitStatus Marked(ProcessExitStatus status, bool canceled) =>
        canceled && status.SignalNumber == Interop.Linux.SIGKILL ? status with { Canceled = true } : status;

    private static ProcessTextOutput Text(ChildProcess child, ProcessExitStatus status, ArrayPoolBufferWriter<byte> output, ArrayPoolBufferWriter<byte> error) => new()
    {
        ExitStatus = status,
        StandardOutput = OutputCapture.Text(output),
        StandardError = OutputCapture.Text(error),
        ProcessId = child.ProcessId,
    };

    private static void End(ChildProcess child, ProcessEndReason reason = ProcessEndReason.Killed)
    {
        child.Kill(reason);
        child.Wait(null);
        child.CloseStreams();
    }

    private static long Deadline(TimeSpan? timeout) => timeout is { } value ? Environment.TickCount64 + (long)Math.Ceiling(value.TotalMilliseconds) : 0;

    private static TimeSpan? Left(TimeSpan? timeout, long end) =>
        timeout is null ? null : TimeSpan.FromMilliseconds(Math.Max(0, end - Environment.TickCount64));

    internal static void CheckUnpiped(IsolationOptions options, bool capture)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.StandardInput?.Kind == StandardStreamKind.Pipe) // null is the validator's to refuse
            throw new ArgumentException("StandardInput must not be a pipe here, as nobody would write to it; use Start.", nameof(options));
        if (capture && options.Terminal is not null)
            throw new ArgumentException("Terminal must be null here, as nobody would read it; use Start, or RunAsync, which connects it to this app's own.", nameof(options));
        if (!capture && (options.StandardOutput?.Kind == StandardStreamKind.Pipe || options.StandardError?.Kind == StandardStreamKind.Pipe))
            throw new ArgumentException("StandardOutput and StandardError must not be pipes here, as nobody would read them; use RunAndCaptureText or Start.", nameof(options));
    }
}
