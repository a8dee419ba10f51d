namespace Isolation;

// Further programs in a sandbox that runs.
public sealed partial class IsolatedProcess
{
    /// <summary>
    /// Starts another program inside this sandbox: in its namespaces, with its file tree as it is now, and under the rules it was started with,
    /// as far as <paramref name="options"/> do not say otherwise themselves. Called on a running sandbox, as in <c>process.Start(options)</c>.
    /// </summary>
    /// <remarks>
    /// The sandbox's rules are taken from the memory of this app, never from the sandbox: <see cref="IsolationOptions.Security"/>,
    /// <see cref="IsolationOptions.User"/>, <see cref="IsolationOptions.Limits"/>, <see cref="IsolationOptions.Umask"/>,
    /// <see cref="IsolationOptions.Environment"/> and <see cref="IsolationOptions.WorkingDirectory"/>, each as far as it is not set here. With some
    /// namespaces only, and <see cref="Namespaces.Mount"/> not among them, the program is not inside but shares them, and its own options hold:
    /// it gets those of <see cref="IsolationOptions.Namespaces"/> that it does not share for itself. A program inside ends with the sandbox.
    /// Who lives in the sandbox can see, stop and end it like their own, also before it runs: give a start that must not hang a time limit or a
    /// cancellation.
    /// </remarks>
    /// <param name="options">What to start. What would change the sandbox for all (a root, mounts, a host name, maps of ids) must not be set.</param>
    /// <param name="namespaces">Which of the sandbox's namespaces. Default: all it has.</param>
    /// <exception cref="ArgumentException">An option is out of range, contradicts another or what is joined. Or the sandbox keeps CAP_SYS_PTRACE without
    /// a user namespace, with which it could get hold of the joining process and its rights.</exception>
    /// <exception cref="IsolationException">The sandbox has ended, or cannot be entered, or the program not be executed. Nothing is left behind.</exception>
    public IsolatedProcess Start(IsolationOptions options, Namespaces namespaces = Namespaces.All) => IsolatedProcess.Start(Inside(options, namespaces));

    /// <summary>The same without a thread waiting for the set-up.</summary>
    /// <exception cref="OperationCanceledException">Canceled before the program ran. Nothing is left behind.</exception>
    /// <inheritdoc cref="Start(IsolationOptions, Namespaces)"/>
    public Task<IsolatedProcess> StartAsync(IsolationOptions options, Namespaces namespaces = Namespaces.All, CancellationToken cancellationToken = default) =>
        IsolatedProcess.StartAsync(Inside(options, namespaces), cancellationToken);

    /// <summary>Runs another program inside this sandbox to its end.</summary>
    /// <param name="options">What to run. No standard stream may be <see cref="StandardStream.Pipe"/>, as nobody would serve it.</param>
    /// <param name="timeout">After this time, set-up included, the program is killed and the status says canceled. Null or
    /// <see cref="Timeout.InfiniteTimeSpan"/>: no limit.</param>
    /// <param name="namespaces">Which of the sandbox's namespaces. Default: all it has.</param>
    /// <exception cref="TimeoutException">The time was up before the program ran.</exception>
    /// <inheritdoc cref="Start(IsolationOptions, Namespaces)"/>
    public ProcessExitStatus Run(IsolationOptions options, TimeSpan? timeout = null, Namespaces namespaces = Namespaces.All) =>
        IsolatedProcess.Run(Inside(options, namespaces), timeout);

    /// <summary>Runs another program inside this sandbox to its end without blocking a thread.</summary>
    /// <param name="options">What to run. No standard stream may be <see cref="StandardStream.Pipe"/>, as nobody would serve it.</param>
    /// <param name="namespaces">Which of the sandbox's namespaces. Default: all it has.</param>
    /// <param name="cancellationToken">Kills the program; the status then says canceled.</param>
    /// <exception cref="OperationCanceledException">Canceled before the program ran.</exception>
    /// <inheritdoc cref="Start(IsolationOptions, Namespaces)"/>
    public Task<ProcessExitStatus> RunAsync(IsolationOptions options, Namespaces namespaces = Namespaces.All, CancellationToken cancellationToken = default) =>
        IsolatedProcess.RunAsync(Inside(options, namespaces), cancellationToken);

    /// <summary>Runs another program inside this sandbox to its end and returns what it wrote.</summary>
    /// <param name="options">What to run. Standard input may not be <see cref="StandardStream.Pipe"/>.</param>
    /// <param name="timeout">After this time, set-up included, the program is killed and the status says canceled. Null or
    /// <see cref="Timeout.InfiniteTimeSpan"/>: no limit.</param>
    /// <param name="namespaces">Which of the sandbox's namespaces. Default: all it has.</param>
    /// <exception cref="TimeoutException">The time was up before the program ran.</exception>
    /// <inheritdoc cref="Start(IsolationOptions, Namespaces)"/>
    public ProcessTextOutput RunAndCaptureText(IsolationOptions options, TimeSpan? timeout = null, Namespaces namespaces = Namespaces.All) =>
        IsolatedProcess.RunAndCaptureText(Inside(options, namespaces), timeout);

    /// <summary>Runs another program inside this sandbox to its end and returns what it wrote, without blocking a thread.</summary>
    /// <param name="options">What to run. Standard input may not be <see cref="StandardStream.Pipe"/>.</param>
    /// <param name="namespaces">Which of the sandbox's namespaces. Default: all it has.</param>
    /// <param name="cancellationToken">Kills the program; the status then says canceled, and the text is what had been written.</param>
    /// <exception cref="OperationCanceledException">Canceled before the program ran.</exception>
    /// <inheritdoc cref="Start(IsolationOptions, Namespaces)"/>
    public Task<ProcessTextOutput> RunAndCaptureTextAsync(IsolationOptions options, Namespaces namespaces = Namespaces.All, CancellationToken cancellationToken = default) =>
        IsolatedProcess.RunAndCaptureTextAsync(Inside(options, namespaces), cancellationToken);

    /// <summary>A handle to one of the sandbox's namespaces, as its first process has it, that holds it also when the sandbox has ended.</summary>
    /// <param name="kind">One kind.</param>
    /// <exception cref="ArgumentException"><paramref name="kind"/> is not one kind.</exception>
    /// <exception cref="IsolationException">The sandbox has ended.</exception>
    public NamespaceHandle OpenNamespace(Namespaces kind)
    {
        var pidfd = _child.CopyPidfd();
        if (pidfd < 0) throw Launching.LaunchFailure.Host("open a namespace", "fcntl", -pidfd, null, pidfd == -(int)Interop.Errno.ESRCH ? Launching.JoinHints.Ended : null);
        try
        {
            return NamespaceHandle.Of(pidfd, kind);
        }
        finally
        {
            _ = Interop.Kernel.close(pidfd);
        }
    }

    private IsolationOptions Inside(IsolationOptions options, Namespaces namespaces)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Joining(this, namespaces);
    }
}
