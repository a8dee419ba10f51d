using Isolation.Filtering;
using Isolation.Launching;
using Isolation.Planning;

namespace Isolation;

// Programs that outlive the app.
public sealed partial class IsolatedProcess
{
    private const int MaxDetachedName = 64;

    /// <summary>
    /// Starts a program that goes on when this app ends, however it ends, and that this or any other app of the same user finds again by
    /// <see cref="FindDetached"/>. A small process stays with it, outside, which notes how it ends. <see cref="IsolationOptions.KillOnParentExit"/>
    /// does not count.
    /// </summary>
    /// <remarks>
    /// Disposing the object lets the program go on. What is known of it is a file in a folder of this user's: /run/isolation for root,
    /// $XDG_RUNTIME_DIR/isolation for others, or one below /tmp where there is neither. The file stays, after the program's end, until an object
    /// of it is disposed, so that its exit status is not lost; a boot forgets all. A service manager that ends the whole control group of
    /// a service ends its detached programs as well.
    /// </remarks>
    /// <param name="options">What to run. The standard streams cannot be pipes, and nobody would be there to handle syscalls.</param>
    /// <param name="name">1 to 64 letters, digits, '.', '-' and '_', not with a '.' first, that no detached program of this user has which lives.
    /// Null: one is made up; see <see cref="DetachedName"/>.</param>
    /// <exception cref="IsolationException">The sandbox could not be set up or the program not be executed, or the name is taken (EEXIST). Nothing is left behind.</exception>
    /// <inheritdoc cref="Start(IsolationOptions)" path="/exception"/>
    public static IsolatedProcess StartDetached(IsolationOptions options, string? name = null) =>
        new(Launch(options, Detached(options, name)));

    /// <summary>The same without a thread waiting for the set-up.</summary>
    /// <exception cref="OperationCanceledException">Canceled before the program ran. Nothing is left behind.</exception>
    /// <inheritdoc cref="StartDetached"/>
    public static async Task<IsolatedProcess> StartDetachedAsync(IsolationOptions options, string? name = null, CancellationToken cancellationToken = default) =>
        new(await LaunchAsync(options, Detached(options, name), cancellationToken).ConfigureAwait(false));

    /// <summary>A program of this user that was started detached, by whichever app; it can be waited for, signaled, paused and ended like one's own.</summary>
    /// <remarks>
    /// Of a program that has ended <see cref="ExitStatus"/> tells how; disposing the object then forgets it. <see cref="ProcessExitStatus.Duration"/>
    /// counts to the moment in which its end was noticed.
    /// </remarks>
    /// <param name="name">The name it was started with.</param>
    /// <returns>Null when there is none: never was, or its end has been seen, or it was before the last boot.</returns>
    /// <exception cref="IsolationException">What is noted of it cannot be read.</exception>
    public static IsolatedProcess? FindDetached(string name)
    {
        CheckName(name);
        Interop.Platform.ThrowIfUnsupported();
        return DetachedFinder.Find(name) is { } child ? new IsolatedProcess(child) : null;
    }

    /// <summary>All programs of this user that were started detached, and live, or have ended without anybody having seen it.</summary>
    /// <exception cref="IsolationException">What is noted of them cannot be read.</exception>
    public static IReadOnlyList<DetachedProcessInfo> ListDetached()
    {
        Interop.Platform.ThrowIfUnsupported();
        return DetachedFinder.List();
    }

    /// <summary>The name of a program that was started detached; null for others.</summary>
    public string? DetachedName => _child.DetachedName;

    internal static LaunchMode Detached(IsolationOptions options, string? name)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (name is not null) CheckName(name);
        foreach (var (stream, option) in ((StandardStream?, string)[])[
            (options.StandardInput, nameof(options.StandardInput)), (options.StandardOutput, nameof(options.StandardOutput)), (options.StandardError, nameof(options.StandardError))])
            if (stream?.Kind == StandardStreamKind.Pipe) throw OptionsValidator.Invalid(option, "must not be a pipe here, which would end with this app");
        if (options.Terminal is not null) throw OptionsValidator.Invalid(nameof(options.Terminal), "is not possible here: it would be hung up with the end of this app");
        if (options.Join is not null) throw OptionsValidator.Invalid(nameof(options.Join), "is not possible here: what is joined may end before");
        if (SeccompPlanner.Compile(options) is { } filter && SyscallSupervision.IsWanted(options.Security, filter))
            throw OptionsValidator.Invalid(nameof(options.Security), "has syscalls handled or reported, for which nobody would be there when this app has ended");
        return new LaunchMode(Detached: name ?? DetachedEntry.NewName());
    }

    private static void CheckName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length is 0 or > MaxDetachedName || name[0] == '.' || !name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            throw new ArgumentException($"The name of a detached program has 1 to {MaxDetachedName} letters, digits, '.', '-' and '_', and no '.' first; not '{name}'.", nameof(name));
    }
}
