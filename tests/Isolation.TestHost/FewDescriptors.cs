using System.Reflection;
using System.Runtime.InteropServices;
using Isolation.Interop;

namespace Isolation.TestHost;

/// <summary>
/// Hardly a descriptor is left: a start works or says why it does not, and leaves nothing; with some to spare it works again.
/// "cold": the very first start is one of these, so that nothing may remember its failure.
/// </summary>
internal static class FewDescriptors
{
    private static readonly bool s_arm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    internal static int Run(string[] arguments)
    {
        // The runtime opens assemblies when it first needs them, and what it does without descriptors is not our concern.
        Load(typeof(IsolatedProcess).Assembly, []);
        Console.Error.Flush(); // opens what it needs
        if (arguments[0] == "warm") Basics.Run([]);
        var (worked, failed) = (0, 0);
        for (var left = 0; left <= 24; left++)
        {
            var fillers = Fill(left);
            for (var i = 0; i < 3; i++)
            {
                var before = Open();
                if (Try()) worked++;
                else failed++;
                if (arguments[0] == "warm" || i == 2) Expect.True(before.SetEquals(Open()), $"with {left} descriptors left, a start leaves as many");
            }

            foreach (var filler in fillers) _ = Native.close(filler);
        }

        Expect.True(failed > 0, "some starts failed");
        Expect.True(worked > 0, "some starts worked");
        Expect.True(HostState.Children().Count <= 1, "no child but the guard is left");
        return Basics.Run([]);
    }

    private static bool Try()
    {
        try
        {
            var result = IsolatedProcess.RunAndCaptureText(new IsolationOptions("sh", "-c", "echo hello; exit 3"));
            Expect.Equal(result.ExitStatus.ToString(), "exit code 3", "the status");
            Expect.Equal(result.StandardOutput, "hello\n", "standard output");
            return true;
        }
        catch (IsolationException e)
        {
            Expect.Equal((Errno)e.Errno, Errno.EMFILE, $"the errno of '{e}'");
            Expect.True(e.Hint?.Contains("RLIMIT_NOFILE", StringComparison.Ordinal) == true, $"'{e.Message}' names the limit");
            return false;
        }
    }

    /// <summary>Opens files until none can be opened, and closes so many again.</summary>
    private static List<int> Fill(int left)
    {
        var fillers = new List<int>();
        while (Native.open("/dev/null", Linux.O_CLOEXEC) is >= 0 and var fd) fillers.Add(fd);
        foreach (var fd in fillers[^Math.Min(left, fillers.Count)..]) _ = Native.close(fd);
        fillers.RemoveRange(fillers.Count - Math.Min(left, fillers.Count), Math.Min(left, fillers.Count));
        return fillers;
    }

    /// <summary>Which descriptors are open, found out without opening one; but for the pipe of the unwinder (see <see cref="HostState"/>).</summary>
    private static HashSet<int> Open()
    {
        var open = new HashSet<int>();
        for (var fd = 0; fd < 1024; fd++)
            if (HostState.Flags(fd) is >= 0 and var flags && !(s_arm64 && (flags & Linux.O_NONBLOCK) != 0)) open.Add(fd);
        return open;
    }

    private static void Load(Assembly assembly, HashSet<string> seen)
    {
        foreach (var name in assembly.GetReferencedAssemblies())
            if (seen.Add(name.FullName)) Load(Assembly.Load(name), seen);
    }
}
