using System.Globalization;
using Isolation.Interop;
using Isolation.Planning;
using Isolation.Stage;
using Isolation.Supervision;

namespace Isolation.Launching;

/// <summary>Finds what other apps of this user, or this one, have started detached.</summary>
internal static class DetachedFinder
{
    /// <summary>How long a start that nobody is left to finish may take to say who it is.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_monitorsTime = TimeSpan.FromSeconds(2);
    private static readonly Retried<Guid> s_boot = new(static () => Guid.TryParse(Host.Setting("kernel/random/boot_id"), out var id) ? id : Guid.Empty);
    private static readonly Retried<long> s_pidNamespace = new(ReadPidNamespace);

    internal static Guid Boot => s_boot.Value;

    internal static long PidNamespace => s_pidNamespace.Value;

    /// <summary>The program of this name, which may have ended, or null when there is none.</summary>
    internal static ChildProcess? Find(string name) => StateFolder.OpenExisting() is { } folder ? Look(folder, name)?.Child : null;

    /// <summary>All that live, or whose end nobody has seen. What is left of starts that came to nothing and of other boots goes.</summary>
    internal static List<DetachedProcessInfo> List()
    {
        var all = new List<DetachedProcessInfo>();
        if (StateFolder.OpenExisting() is not { } folder) return all;
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            var name = Path.GetFileName(path);
            if (name.StartsWith('.') || Look(folder, name) is not { } found) continue;
            all.Add(new DetachedProcessInfo
            {
                Name = name, ProcessId = found.Child.ProcessId, FileName = found.Child.Name,
                StartTime = DateTimeOffset.FromUnixTimeMilliseconds(found.Started), HasExited = found.Child.HasEnded,
            });
            found.Child.LetGo();
        }

        return all;
    }

    internal static (ChildProcess Child, long Started)? Look(string folder, string name)
    {
        LaunchArena? arena = Map(folder, name);
        try
        {
            if (arena is null) return null; // none, or one that is only just being made
            var record = arena.Record;
            if (record.Boot != Boot)
            {
                File.Delete(Path.Combine(folder, name));
                return null;
            }

            if (record.PidNamespace != PidNamespace) return null; // its numbers are not ours
            if (Volatile.Read(ref arena.Header.Go) != StageFormat.Detached)
            {
                if (IsNothing(record)) File.Delete(Path.Combine(folder, name));
                return null;
            }

            var (pidfd, innerPidfd) = Meet(record.MonitorStamp, arena.Header.Child);
            var child = Create(arena, DetachedEntry.Of(folder, name, record.Id), record, pidfd, innerPidfd);
            if (pidfd >= 0) arena = null; // the child's
            return (child, record.Started);
        }
        finally
        {
            arena?.Dispose();
        }
    }

    internal static LaunchArena? Map(string folder, string name)
    {
        var fd = Kernel.AboveStandard(Kernel.open(Path.Combine(folder, name), Linux.O_RDWR | Linux.O_NOFOLLOW));
        if (fd == -(int)Errno.ENOENT) return null;
        if (fd < 0) throw LaunchFailure.Host("look at a detached program", "openat", -fd, name);
        LaunchArena? arena = null;
        try
        {
            return arena = LaunchArena.OfFile(fd, (int)Math.Min(int.MaxValue, RandomAccess.GetLength(new Microsoft.Win32.SafeHandles.SafeFileHandle(fd, ownsHandle: false))));
        }
        finally
        {
            if (arena is null) _ = Kernel.close(fd);
        }
    }

    /// <summary>A start whose starter is gone, and whose monitor has noticed that, or never was.</summary>
    private static bool IsNothing(in DetachedRecord record)
    {
        if (IsAlive(record.Starter)) return false;
        var monitor = record.MonitorStamp;
        return monitor.ProcessId == 0
            ? DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeMilliseconds(record.Started) > s_patience
            : !IsAlive(monitor);
    }

    private static bool IsAlive(ProcessStamp stamp)
    {
        var pidfd = Open(stamp);
        if (pidfd < 0) return false;
        _ = Kernel.close(pidfd);
        return true;
    }

    /// <summary>A pidfd of a process that has not ended, or -1. Whoever has its number by now is somebody else.</summary>
    private static int Open(ProcessStamp stamp)
    {
        if (stamp.ProcessId <= 0) return -1;
        var pidfd = Kernel.AboveStandard(Kernel.pidfd_open(stamp.ProcessId));
        // There is none, or it is a thread's number by now, for which kernels have different errors.
        if (pidfd < 0) return pidfd is not (-(int)Errno.EMFILE or -(int)Errno.ENFILE) ? -1 : throw LaunchFailure.Host("look at a detached program", "pidfd_open", -pidfd);
        // In this order: what has not ended after it was looked at is what was looked at.
        var isSame = ProcessTree.Stamp(stamp.ProcessId) == stamp;
        if (isSame && !HasEnded(pidfd, TimeSpan.Zero)) return pidfd;
        _ = Kernel.close(pidfd);
        return -1;
    }

    private static bool HasEnded(int pidfd, TimeSpan patience)
    {
        Span<pollfd> wait = [new pollfd { fd = pidfd, events = Linux.POLLIN }];
        return Kernel.poll(wait, patience) > 0;
    }

    /// <summary>The monitor and its child, or (-1, -1) when it is over.</summary>
    private static (int Pidfd, int InnerPidfd) Meet(ProcessStamp monitor, int child)
    {
        var pidfd = Open(monitor);
        if (pidfd < 0) return (-1, -1);
        var inner = child > 0 ? Kernel.AboveStandard(Kernel.pidfd_open(child)) : -1;
        if (inner >= 0 && ProcessTree.Parent(child) == monitor.ProcessId) return (pidfd, inner);
        // The monitor has reaped it, and is about to end.
        if (inner >= 0) _ = Kernel.close(inner);
        var ended = HasEnded(pidfd, s_monitorsTime);
        if (ended)
        {
            _ = Kernel.close(pidfd);
            pidfd = -1;
        }

        return (pidfd, -1);
    }

    private static ChildProcess Create(LaunchArena arena, DetachedEntry entry, in DetachedRecord record, int pidfd, int innerPidfd)
    {
        var ownsPidNamespace = (record.Flags & DetachedRecord.HasPidNamespace) != 0;
        var hasInit = (record.Flags & DetachedRecord.HasInit) != 0;
        var age = Math.Max(0, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - record.Started);
        var launched = new LaunchedProcess(
            ProcessId: arena.Header.Child,
            InnerProcessId: !ownsPidNamespace ? arena.Header.Child : hasInit ? 2 : 1,
            Pidfd: pidfd,
            InnerPidfd: innerPidfd,
            Slot: -1,
            OwnsPidNamespace: ownsPidNamespace,
            HasInit: hasInit,
            IsSupervised: true,
            Arena: pidfd >= 0 ? arena : null,
            Parked: null,
            Entry: entry,
            Started: Environment.TickCount64 - age,
            Logger: null,
            Name: record.Program,
            IsFound: true);
        var child = new ChildProcess(launched) { Policy = new IsolationOptions("unknown").Policy() }; // which nobody asks for: NamespaceSource.FromProcess
        if (pidfd >= 0) child.Watch();
        else child.SetEnded(ExitReader.OfReport(arena, TimeSpan.FromMilliseconds(age)));
        return child;
    }

    private static long ReadPidNamespace()
    {
        var link = new FileInfo("/proc/self/ns/pid").LinkTarget ?? "";
        return long.TryParse(link.AsSpan(link.IndexOf('[') + 1).TrimEnd(']'), CultureInfo.InvariantCulture, out var inode) ? inode : 0;
    }
}
