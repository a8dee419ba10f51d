using System.Globalization;
using Isolation.Launching;

namespace Isolation.TestHost;

/// <summary>What may stand before a scenario: each makes the host a more hostile one, and makes sure that it really is.</summary>
internal static class HostSettings
{
    /// <summary>Applies the first argument if it is a setting.</summary>
    internal static bool Apply(ReadOnlySpan<string> arguments, out int used)
    {
        used = 1;
        switch (arguments.Length > 0 ? arguments[0] : "")
        {
            case "ignoring-sigchld":
                IgnoreChildren();
                break;
            case "expect-process-1":
                Expect.Equal(Environment.ProcessId, 1, "the process id");
                break;
            case "expect-ignored":
                used = 2;
                var number = int.Parse(arguments[1], CultureInfo.InvariantCulture);
                Expect.True((Host.StatusMask("SigIgn") >> (number - 1) & 1) != 0, $"signal {number} is ignored");
                break;
            case "expect-closed":
                used = 2;
                foreach (var fd in arguments[1].Split(',')) Expect.True(!File.Exists("/proc/self/fd/" + fd), $"descriptor {fd} is closed");
                break;
            case "process-first":
                Basics.WithProcess();
                break;
            case "start-first":
                Expect.Equal(IsolatedProcess.Run(new IsolationOptions("true")).ExitCode, 0, "the exit code of a first start");
                break;
            case "without-clone3":
                OuterFilter.HideClone3();
                break;
            case "without-namespaces":
                OuterFilter.ForbidNamespaces();
                break;
            case "as-user":
                used = 2;
                BecomeUser(uint.Parse(arguments[1], CultureInfo.InvariantCulture));
                break;
            case "set":
                used = 3;
                File.WriteAllText(arguments[1], arguments[2]);
                Expect.Equal(File.ReadAllText(arguments[1]).Trim(), arguments[2], arguments[1]);
                break;
            default:
                return false;
        }

        return true;
    }

    /// <summary>
    /// What a shell's <c>trap "" CHLD</c> or a careless daemon does to the apps it starts. Not every shell obeys, so the app
    /// executes itself again; the disposition is there before the runtime is.
    /// </summary>
    private static void IgnoreChildren()
    {
        if ((Host.StatusMask("SigIgn") >> (Native.SIGCHLD - 1) & 1) != 0) return;
        Native.signal(Native.SIGCHLD, Native.SIG_IGN);
        string?[] line = [.. File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0'), null];
        Native.execv(Environment.ProcessPath!, line);
        throw new InvalidOperationException("execv failed");
    }

    private static void BecomeUser(uint id)
    {
        Expect.Equal(Native.setgroups(0, 0), 0, "the result of setgroups");
        Expect.Equal(Native.setresgid(id, id, id), 0, "the result of setresgid");
        Expect.Equal(Native.setresuid(id, id, id), 0, "the result of setresuid");
        Expect.Equal(Native.prctl(Native.PR_GET_DUMPABLE, 0, 0, 0, 0) == 1, false, "still being dumpable after a change of ids");
    }
}
