using System.Security.Cryptography;
using Isolation.Interop;
using Isolation.Planning;
using Isolation.Supervision;

namespace Isolation.Launching;

/// <summary>
/// A detached program in the state folder: a file which is the stage's own program, so that the monitor and the init write into it, by themselves and to
/// the end, who they are and how the program ended. It is there before the program is, and stays until somebody has seen the end.
/// </summary>
internal sealed class DetachedEntry
{
    private const string Step = "note the detached program";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder;
    private readonly Guid _id;
    private int _descriptor = -1;

    private DetachedEntry(string folder, string name, Guid id) => (_folder, Name, _id) = (folder, name, id);

    internal string Name { get; }

    /// <summary>A new one, under a name that nothing that lives has.</summary>
    internal static DetachedEntry Create(string name)
    {
        if (Host.ProcIsForeign)
            throw new IsolationException(Step, null, 0, "/proc", "It is the /proc of another PID namespace, by which the program could not be found again");
        var folder = StateFolder.Open();
        var path = Path.Combine(folder, name);
        using var alone = StateFolder.Lock(folder);
        var found = DetachedFinder.Look(folder, name);
        var hasEnded = found is { Child.HasEnded: true };
        found?.Child.LetGo();
        if (File.Exists(path)) // what has ended unseen makes room
        {
            if (!hasEnded) throw new IsolationException(Step, null, (int)Errno.EEXIST, name, "A detached program of this name lives, or is being started");
            File.Delete(path);
        }

        try
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, UnixCreateMode = Private, BufferSize = 0,
            };
            using var stream = new FileStream(path, options);
            var descriptor = Kernel.fcntl((int)stream.SafeFileHandle.DangerousGetHandle(), Linux.F_DUPFD_CLOEXEC, 3);
            if (descriptor >= 0) return new DetachedEntry(folder, name, Guid.NewGuid()) { _descriptor = descriptor };
            File.Delete(path);
            throw LaunchFailure.Host(Step, "fcntl", -descriptor, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IsolationException(Step, null, 0, path, e.Message);
        }
    }

    /// <summary>A name for who has not been given one.</summary>
    internal static string NewName() => RandomNumberGenerator.GetHexString(12, lowercase: true);

    internal LaunchArena MakeArena()
    {
        try
        {
            return LaunchArena.InFile(_descriptor); // which is the arena's now
        }
        catch
        {
            Remove();
            throw;
        }
    }

    internal DetachedRecord Describe(IsolationOptions options) => new()
    {
        Version = DetachedRecord.CurrentVersion,
        Flags = ((options.Namespaces & Namespaces.Pid) != 0 ? DetachedRecord.HasPidNamespace : 0) | (options.UseInit ? DetachedRecord.HasInit : 0),
        Id = _id,
        Boot = DetachedFinder.Boot,
        PidNamespace = DetachedFinder.PidNamespace,
        Started = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
        Starter = ProcessTree.Stamp(Kernel.getpid()),
        Program = options.FileName,
    };

    internal static DetachedEntry Of(string folder, string name, Guid id) => new(folder, name, id);

    /// <summary>Unless another program has the name by now.</summary>
    internal void Remove()
    {
        using var alone = StateFolder.Lock(_folder);
        using var arena = DetachedFinder.Map(_folder, Name);
        if (arena is null || arena.Record.Id == _id) File.Delete(Path.Combine(_folder, Name));
    }
}
