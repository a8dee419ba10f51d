using System.Globalization;
using Isolation.Interop;

namespace Isolation.Launching;

/// <summary>
/// Where detached programs are noted, one file each, for every app of the same user: /run/isolation for root, $XDG_RUNTIME_DIR/isolation for others, and
/// where there is neither, a folder below /tmp. It is gone after a boot, as what it tells of is.
/// </summary>
internal static class StateFolder
{
    private const string Step = "open the folder of detached programs";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Its path, and that it is this user's and closed to others has been checked.</summary>
    internal static string Open()
    {
        var path = Find();
        try
        {
            if (!Directory.Exists(path)) Directory.CreateDirectory(path, Private);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IsolationException(Step, null, 0, path, e.Message);
        }

        Check(path);
        return path;
    }

    /// <summary>The same, or null when there is none and so nothing in it.</summary>
    internal static string? OpenExisting()
    {
        var path = Find();
        if (!Directory.Exists(path)) return null;
        Check(path);
        return path;
    }

    /// <summary>Changes in the folder are made by one app at a time.</summary>
    internal static FileStream Lock(string folder)
    {
        var path = Path.Combine(folder, ".lock");
        var end = Environment.TickCount64 + 5000;
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e)
            {
                if (Environment.TickCount64 > end) throw new IsolationException(Step, "flock", 0, path, e.Message);
                Thread.Sleep(1);
            }
        }
    }

    private static string Find()
    {
        var user = Kernel.geteuid();
        if (user == 0 && Directory.Exists("/run")) return "/run/isolation";
        foreach (var folder in (string?[])[Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), string.Create(CultureInfo.InvariantCulture, $"/run/user/{user}")])
            if (user != 0 && folder is ['/', ..] && Owner(folder) == user) return Path.Combine(folder, "isolation");
        return string.Create(CultureInfo.InvariantCulture, $"/tmp/isolation-{user}");
    }

    private static uint? Owner(string folder) => Look(folder, out var found) ? found.stx_uid : null;

    /// <summary>Below /tmp anybody can make a folder of that name, or a link.</summary>
    private static void Check(string path)
    {
        if (Look(path, out var found) && found.stx_uid == Kernel.geteuid() && (found.stx_mode & 0x3f /* 077 */) == 0) return;
        throw new IsolationException(Step, null, 0, path, "It must be a folder of this user alone (mode 0700) and no link");
    }

    private static bool Look(string path, out statx found)
    {
        found = default;
        var fd = Kernel.open(path, Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_NOFOLLOW);
        if (fd < 0) return false;
        var result = Kernel.statx(fd, Linux.STATX_TYPE | Linux.STATX_MODE | Linux.STATX_UID, out found);
        _ = Kernel.close(fd);
        return result == 0;
    }
}
