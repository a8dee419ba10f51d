using System.Globalization;
using Isolation.Interop;

namespace Isolation.TestHost;

/// <summary>Looks through /proc for processes that a host has left behind.</summary>
public static class ProcessTable
{
    /// <summary>Processes one of whose arguments contains this text.</summary>
    public static List<int> WithArgument(string text) =>
        Where(pid => Read($"/proc/{pid}/cmdline") is { } line && line.Contains(text, StringComparison.Ordinal) && IsAlive(pid));

    /// <summary>Processes that run the stage of one host, known by the inode of its memory file: guard, monitor, init, set-up.</summary>
    public static List<int> OfStage(string inode) =>
        Where(pid => Read($"/proc/{pid}/cmdline") is { } line && line.StartsWith("isolation\0", StringComparison.Ordinal) &&
            Read($"/proc/{pid}/maps") is { } maps && maps.Contains($" {inode} ", StringComparison.Ordinal));

    /// <summary>Neither gone nor a zombie.</summary>
    public static bool IsAlive(int pid) =>
        Read($"/proc/{pid}/stat") is { } stat && stat.AsSpan(stat.LastIndexOf(')') + 2) is [not ('Z' or 'X'), ..];

    /// <summary>The same by our own number, which /proc may not know: that of another PID namespace has others.</summary>
    internal static bool IsAliveHere(int pid)
    {
        var pidfd = Kernel.pidfd_open(pid);
        if (pidfd < 0) return false;
        Span<pollfd> wait = [new pollfd { fd = pidfd, events = Linux.POLLIN }];
        var ended = Kernel.poll(wait, TimeSpan.Zero) > 0;
        _ = Kernel.close(pidfd);
        return !ended;
    }

    /// <summary>The inode of an open descriptor of this process.</summary>
    public static string Inode(int descriptor) =>
        File.ReadLines($"/proc/self/fdinfo/{descriptor}").First(line => line.StartsWith("ino:", StringComparison.Ordinal))[4..].Trim();

    private static List<int> Where(Predicate<int> condition)
    {
        var found = new List<int>();
        foreach (var path in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var pid) && condition(pid)) found.Add(pid);
        return found;
    }

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it has ended meanwhile, or is another user's
        }
    }
}
