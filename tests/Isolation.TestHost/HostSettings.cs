using System.Globalization;
using Isolation.Interop;
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
            case "ignoring":
                used = 2;
                var ignored = int.Parse(arguments[1], CultureInfo.InvariantCulture);
                Native.signal(ignored, Native.SIG_IGN);
                Expect.True((Host.StatusMask("SigIgn") >> (ignored - 1) & 1) != 0, $"signal {ignored} is ignored");
                break;
            case "expect-process-1":
                Expect.Equal(Environment.ProcessId, 1, "the process id");
                break;
            case "expect-foreign-proc":
                Expect.True(Host.Status("NSpid")!.Contains('\t', StringComparison.Ordinal), "/proc is that of another PID namespace");
                break;
            case "expect-ignored":
                used = 2;
                var number = int.Parse(arguments[1], CultureInfo.InvariantCulture);
                Expect.True((Host.StatusMask("SigIgn") >> (number - 1) & 1) != 0, $"signal {number} is ignored");
                break;
            case "expect-closed":
                used = 2;
                // The runtime may have put something of its own there by now, to be closed on exec.
                foreach (var fd in arguments[1].Split(','))
                    Expect.True(Kernel.fcntl(int.Parse(fd, CultureInfo.InvariantCulture), Linux.F_GETFD) != 0, $"descriptor {fd} was closed");
                break;
            case "process-first":
                Basics.WithProcess();
                break;
            case "print-first":
                Console.WriteLine(); // brings in a thread of the runtime, which may be impossible later
                break;
            case "start-first":
                Expect.Equal(IsolatedProcess.Run(new IsolationOptions("true")).ExitCode, 0, "the exit code of a first start");
                break;
            case "without-clone3":
                OuterFilter.HideClone3();
                break;
            case "without-call":
                used = 2;
                OuterFilter.Hide(uint.Parse(arguments[1], CultureInfo.InvariantCulture));
                break;
            case "without-namespaces":
                OuterFilter.ForbidNamespaces();
                break;
            case "as-user":
                used = 2;
                BecomeUser(uint.Parse(arguments[1], CultureInfo.InvariantCulture));
                break;
            case "contained":
                Environment.Exit(RunContained(arguments[1], arguments[2..].ToArray()));
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

    /// <summary>
    /// Runs the rest in a container of ours, as root over its namespaces and with a tree it may write to: "first" is its
    /// process 1, "init" has an init before it, "masked" finds parts of /proc masked, and "foreign-proc" the /proc of outside.
    /// </summary>
    private static int RunContained(string kind, string[] rest)
    {
        string[] self = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(HostSettings).Assembly.Location] : [];
        var options = new IsolationOptions(Environment.ProcessPath!, [.. self, .. rest])
        {
            UseInit = kind != "first",
            InheritEnvironment = true,
            Filesystem = { Root = Root.Host, MaskKernelFiles = kind == "masked", PrivateProc = kind != "foreign-proc", PrivateTmp = false },
            Security = { Capabilities = CapabilitySets.All, Seccomp = null }, // sandboxes are to be made in it
        };
        return IsolatedProcess.Run(options).ExitCode;
    }

    private static void BecomeUser(uint id)
    {
        Expect.Equal(Native.setgroups(0, 0), 0, "the result of setgroups");
        Expect.Equal(Native.setresgid(id, id, id), 0, "the result of setresgid");
        Expect.Equal(Native.setresuid(id, id, id), 0, "the result of setresuid");
        Expect.Equal(Native.prctl(Native.PR_GET_DUMPABLE, 0, 0, 0, 0) == 1, false, "still being dumpable after a change of ids");
    }
}
