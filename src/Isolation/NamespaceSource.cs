using System.Globalization;
using System.Runtime.InteropServices;
using Isolation.Interop;
using Isolation.Launching;
using Isolation.Supervision;
using Microsoft.Win32.SafeHandles;

namespace Isolation;

/// <summary>
/// Where a program gets namespaces that exist already, for <see cref="IsolationOptions.Join"/>: those of a sandbox, of any process, or held by
/// handles.
/// </summary>
public sealed class NamespaceSource
{
    private NamespaceSource(Namespaces namespaces) => Namespaces = namespaces;

    /// <summary>The kinds that are asked for.</summary>
    public Namespaces Namespaces { get; }

    internal ChildProcess? Sandbox { get; private init; }

    internal SafeHandle? Process { get; private init; }

    internal IReadOnlyList<NamespaceHandle>? Handles { get; private init; }

    /// <summary>
    /// Those of a sandbox of this app, as its first process has them: with all kinds to go where it is, with some to share those. The user namespace
    /// comes with any of them, as the rights over the others do.
    /// </summary>
    /// <param name="process">The sandbox, which may end before it is joined; the start then fails.</param>
    /// <param name="namespaces">Which kinds. What the sandbox shares with the host is the host's for the program as well, and not made anew.</param>
    /// <exception cref="InvalidOperationException">Another app has started the program (<see cref="IsolatedProcess.FindDetached"/>).</exception>
    public static NamespaceSource FromProcess(IsolatedProcess process, Namespaces namespaces = Namespaces.All)
    {
        ArgumentNullException.ThrowIfNull(process);
        if (process.Child.IsFound)
            throw new InvalidOperationException("What this program may not do is known only to the app that has started it. Enter it by its number, with FromProcess(process.ProcessId), and set the options yourself.");
        return new NamespaceSource(Known(namespaces)) { Sandbox = process.Child };
    }

    /// <summary>Those of any process, also of another app or tool. Nothing is known of what its sandbox may not do: that is for the options to say.</summary>
    /// <param name="processId">The process, as this one sees it. Held by a pidfd from now on, so that the number may be given to another.</param>
    /// <param name="namespaces">Which kinds. What the process shares with this one is not made anew.</param>
    /// <exception cref="IsolationException">There is no such process.</exception>
    public static NamespaceSource FromProcess(int processId, Namespaces namespaces = Namespaces.All)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(processId);
        Platform.ThrowIfUnsupported();
        var pidfd = Kernel.AboveStandard(Kernel.pidfd_open(processId));
        if (pidfd < 0) throw LaunchFailure.Host("open a pidfd of the process to join", "pidfd_open", -pidfd, processId.ToString(CultureInfo.InvariantCulture));
        return FromProcess(new SafeFileHandle(pidfd, ownsHandle: true), namespaces);
    }

    /// <summary>The same by a pidfd, pidfd_open(2), which stays the caller's.</summary>
    /// <inheritdoc cref="FromProcess(int, Namespaces)"/>
    public static NamespaceSource FromProcess(SafeHandle pidfd, Namespaces namespaces = Namespaces.All)
    {
        ArgumentNullException.ThrowIfNull(pidfd);
        return new NamespaceSource(Known(namespaces)) { Process = pidfd };
    }

    /// <summary>Namespaces held by handles, which stay the caller's: one of a kind.</summary>
    /// <exception cref="ArgumentException">Two are of the same kind.</exception>
    public static NamespaceSource FromHandles(params IEnumerable<NamespaceHandle> handles)
    {
        ArgumentNullException.ThrowIfNull(handles);
        List<NamespaceHandle> all = [.. handles];
        var kinds = Namespaces.None;
        foreach (var handle in all)
        {
            ArgumentNullException.ThrowIfNull(handle, nameof(handles));
            if ((kinds & handle.Kind) != 0) throw new ArgumentException($"Two namespaces are of the kind {handle.Kind}.", nameof(handles));
            kinds |= handle.Kind;
        }

        return new NamespaceSource(kinds) { Handles = all };
    }

    private static Namespaces Known(Namespaces namespaces) => (namespaces & ~Namespaces.All) == 0
        ? namespaces : throw new ArgumentException("It has bits that stand for no namespace.", nameof(namespaces));
}
