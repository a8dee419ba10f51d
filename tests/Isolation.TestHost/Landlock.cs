using System.Globalization;
using Isolation.Interop;

namespace Isolation.TestHost;

/// <summary>A start under Landlock in a host that is below a number of policies already, and tells what comes of it.</summary>
internal static class Landlock
{
    internal static int Run(string[] arguments)
    {
        var layers = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 0;
        for (var i = 0; i < layers; i++) Restrict();
        var options = new IsolationOptions("sh", "-c", "! ls /var 2> /dev/null")
        {
            Namespaces = Namespaces.None,
            StandardInput = StandardStream.Null,
            Security = { Landlock = LandlockPolicy.ForAbi(1).AllowReadExecute("/usr", "/bin", "/lib").AllowPath("/lib64", LandlockAccess.ReadExecute, true).AllowReadWrite("/dev/null") },
        };
        try
        {
            Expect.Equal(IsolatedProcess.Run(options, TimeSpan.FromSeconds(20)).ExitCode, 0, "the exit code");
            Console.WriteLine("fine");
        }
        catch (IsolationException e)
        {
            Console.WriteLine(e.Message);
        }

        return 0;
    }

    /// <summary>This thread, from which the start is made, gives up making block devices once more.</summary>
    private static unsafe void Restrict()
    {
        _ = Native.prctl(Native.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        var rights = new landlock_ruleset_attr { handled_access_fs = Linux.LANDLOCK_ACCESS_FS_MAKE_BLOCK };
        var ruleset = (int)Kernel.Call(Sys.landlock_create_ruleset, (nint)(&rights), 8);
        Expect.True(ruleset >= 0, "there is a ruleset");
        Expect.Equal((int)Kernel.Call(Sys.landlock_restrict_self, ruleset), 0, "the result of landlock_restrict_self");
        _ = Kernel.close(ruleset);
    }
}
