using System.Globalization;
using System.Text;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>Runs newuidmap(1) and newgidmap(1), both at once, for a child of an ordinary user.</summary>
internal sealed class MapHelpers : IDisposable
{
    private const int Limit = 10_000; // milliseconds; it takes a few, unless a directory service is asked and does not answer

    private readonly List<(Step Step, HostProgram Program)> _running = [];

    internal void Start(LaunchPlan plan, in Step step, int pid, bool killOnParentExit)
    {
        var name = PlanPrinter.Text(plan, step.Values[0]);
        if (step.Values[5] is not 0 and var injected) throw LaunchFailure.Host(step.Label, "execve", (int)injected, name);
        string[] arguments = [pid.ToString(CultureInfo.InvariantCulture), .. PlanPrinter.Text(plan, step.Values[1]).Split(' ')];
        _running.Add((step, HostProgram.Start(step.Label, name, arguments, killOnParentExit)));
    }

    /// <returns>False when the time for the whole start is up.</returns>
    internal bool Wait(int pid, long deadline)
    {
        var limit = Math.Min(deadline, Environment.TickCount64 + Limit);
        foreach (var (step, program) in _running)
        {
            var name = step.Path!;
            int code;
            try
            {
                if (!program.Wait(limit, out code))
                {
                    if (limit == deadline) return false;
                    throw LaunchFailure.Host(step.Label, name, (int)Errno.ETIMEDOUT, null, $"{name} has not ended after {Limit / 1000} s. {Said(program)}");
                }
            }
            catch (IsolationException error) when (error.Syscall == "execve")
            {
                throw LaunchFailure.Host(step.Label, "execve", error.Errno, name, error.Errno != (int)Errno.ENOENT ? error.Hint :
                    $"{name} is not installed, without which an ordinary user can map their own id only: it is in the package uidmap (Debian, Ubuntu) or shadow-utils (Fedora)");
            }

            if (code == 0 || code < 0 && IsWritten(pid, name)) continue;
            throw LaunchFailure.Host(step.Label, name, 0, null, Hint(name, program));
        }

        return true;
    }

    public void Dispose()
    {
        foreach (var (_, program) in _running) program.Dispose();
    }

    private static string Hint(string name, HostProgram program)
    {
        var file = name == "newuidmap" ? "/etc/subuid" : "/etc/subgid";
        var said = Said(program);
        if (Host.Status("NoNewPrivs") == "1") return $"{said}This process has no_new_privs, so {name} has no privileges, set-user-ID or not";
        if (said.Contains("not allowed", StringComparison.Ordinal))
            return $"{said}{file} does not grant these ids to the user {Environment.UserName} (who may map their own id, and the group of /etc/passwd, once)";
        if (said.Contains("is owned by a different user", StringComparison.Ordinal))
            return $"{said}{name} wants the group of this process to be that of the user in /etc/passwd";
        return said.Contains("Operation not permitted", StringComparison.Ordinal) || said.Contains("open of", StringComparison.Ordinal)
            ? $"{said}{name} must be set-user-ID root, or have the file capability, on a mount where that counts; or an outer sandbox has not these ids itself"
            : said.Length > 0 ? said.TrimEnd() : $"{name} has failed without a word";
    }

    private static string Said(HostProgram program) => program.Output is { Length: > 0 } output ? $"It says: \"{output}\". " : "";

    /// <summary>A host that reaps everybody's children cannot know how this one has ended, but what it was for.</summary>
    private static bool IsWritten(int pid, string name)
    {
        var fd = Kernel.open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{(name == "newuidmap" ? "uid_map" : "gid_map")}"), Linux.O_RDONLY);
        if (fd < 0) return false;
        var read = Kernel.read(fd, stackalloc byte[16]);
        _ = Kernel.close(fd);
        return read > 0;
    }
}
