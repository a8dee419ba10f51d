using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Supervision;

// Programs that have entered the sandbox.
internal sealed partial class ChildProcess
{
    private HashSet<ChildProcess>? _inside;
    private ChildProcess? _sandbox;
    private bool _ended;
    private PidNamespaceMembers? _members;

    /// <summary>What holds for programs that enter the sandbox.</summary>
    internal required SandboxPolicy Policy { get; init; }

    /// <summary>Who else is in its PID namespace. Made when it is first asked for.</summary>
    internal PidNamespaceMembers PidNamespace => _members ?? Interlocked.CompareExchange(ref _members, new PidNamespaceMembers(Policy.MayTrace), null) ?? _members;

    /// <summary>The same of one that it has joined.</summary>
    internal PidNamespaceMembers? JoinedPidNamespace
    {
        init => _members = value;
    }

    /// <summary>The sandbox whose PID namespace it is in, and with which the kernel ends it.</summary>
    internal ChildProcess? Around { private get; init; }

    /// <summary>The program's environment, or null for that of most.</summary>
    internal IReadOnlyDictionary<string, string>? ProgramEnvironment { get; init; }

    /// <summary>Who the program's user was found to be, if that was looked up.</summary>
    internal Users.FoundUser? ProgramUser { get; init; }

    /// <summary>The first process has not begun with an exec of its own.</summary>
    internal bool IsForked { get; init; }

    /// <summary>A copy of the first process's pidfd, which is the caller's to close, or -errno: -ESRCH when it has ended.</summary>
    internal int CopyPidfd()
    {
        lock (_gate)
        {
            if (_pidfd < 0) return -(int)Errno.ESRCH;
            // Such an init cannot be looked at by an ordinary user: it has the host's address space, copied, which belongs to the host's user namespace.
            if (launched.HasInit && IsForked && Program() is >= 0 and var program) return program;
            return Kernel.fcntl(_innerPidfd >= 0 ? _innerPidfd : _pidfd, Linux.F_DUPFD_CLOEXEC, 3);
        }
    }

    /// <summary>A pidfd of the child of the sandbox's init that is the program, or -errno.</summary>
    private int Program()
    {
        var found = -(int)Errno.ESRCH;
        foreach (var pid in Launching.Host.NumberInProc(ProcessId, _innerPidfd >= 0 ? _innerPidfd : _pidfd) == ProcessId ? ProcessTree.Below(ProcessId) : [])
        {
            if (Launching.Host.Field(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/{pid}/status"), "NSpid")?.EndsWith("\t2", StringComparison.Ordinal) != true) continue;
            found = Kernel.pidfd_open(pid);
            break;
        }

        return Kernel.AboveStandard(found);
    }

    /// <summary>
    /// Ends together with the sandbox it has entered. For programs that are in its PID namespace the kernel sees to that.
    /// </summary>
    internal void EndWith(ChildProcess sandbox)
    {
        _sandbox = sandbox;
        lock (sandbox._gate)
        {
            if (!sandbox._ended)
            {
                (sandbox._inside ??= []).Add(this);
                if (!_ended) return; // else it was over before it was in the list
                sandbox._inside.Remove(this);
                return;
            }
        }

        Kill(ProcessEndReason.ParentExited);
    }

    /// <summary>
    /// Its first process has ended, or is about to: the kernel first ends everything else in a PID namespace, and waits until that is reaped.
    /// </summary>
    private bool IsEnding()
    {
        lock (_gate)
        {
            if (_ended || _killed is not null || _pidfd < 0) return true;
            Span<pollfd> poll = [new pollfd { fd = _pidfd, events = Linux.POLLIN }];
            return Kernel.poll(poll, TimeSpan.Zero) > 0 || ProcessTree.IsExiting(Launching.Host.NumberInProc(ProcessId, _innerPidfd >= 0 ? _innerPidfd : _pidfd));
        }
    }

    private void EndInside()
    {
        ChildProcess[] inside;
        lock (_gate)
        {
            _ended = true;
            inside = _inside is null ? [] : [.. _inside];
            _inside = null;
        }

        foreach (var child in inside) child.Kill(ProcessEndReason.ParentExited);
        if (_sandbox is not { } sandbox) return;
        lock (sandbox._gate) _ = sandbox._inside?.Remove(this);
    }
}
