namespace Isolation.Benchmarks;

/// <summary>What is isolated, for every way to start.</summary>
/// <param name="Key">Name in the JSON file.</param>
/// <param name="Title">Name in the table.</param>
/// <param name="FloorCommand">What the floor calls it (floor.c).</param>
/// <param name="Options">For <see cref="IsolatedProcess.Start"/>, or null where there is nothing to isolate.</param>
/// <param name="MostOfProcessStart">Goal: the start takes at most this many times Process.Start's time. 0: none.</param>
/// <param name="MostOfFloor">Goal: the start takes at most this many times the floor's time. 0: none.</param>
internal sealed record Scenario(
    string Key,
    string Title,
    char FloorCommand,
    IsolationOptions? Options,
    double MostOfProcessStart = 0,
    double MostOfFloor = 0)
{
    internal static Scenario[] All(string program) =>
    [
        new("none", "no isolation", 'p', null),
        new("pid-mount-proc", "pid + mount namespaces, fresh /proc, nothing else", 'b', Bare(program), 0.8, 1.5),
        new("unprivileged", "the same without any privilege", 'm', PidMountProc(program), 0, 1.5),
        new("default", "default options but for the filter of syscalls: all namespaces but time, read-only tree, private /dev, /tmp, /run …", 'd',
            new IsolationOptions(program) { Security = { Seccomp = null } }, 0, 1.25),
        new("filtered", "default options, filter and all; raw C has none", 'd', new IsolationOptions(program)),
    ];

    private static IsolationOptions Bare(string program)
    {
        var options = PidMountProc(program);
        options.Security.Capabilities = CapabilitySets.All;
        options.Security.NoNewPrivileges = false;
        options.Security.InheritSessionKeyring = true;
        return options;
    }

    internal static IsolationOptions PidMountProc(string program)
    {
        // Only root may have these two without a user namespace.
        var options = new IsolationOptions(program)
        {
            Namespaces = Namespaces.Pid | Namespaces.Mount | (Environment.IsPrivilegedProcess ? Namespaces.None : Namespaces.User),
        };
        options.Security.Seccomp = null; // as in C
        var filesystem = options.Filesystem;
        filesystem.Root = Root.Host;
        filesystem.PrivateTmp = filesystem.PrivateRun = filesystem.PrivateDev = filesystem.MaskKernelFiles = false;
        return options;
    }
}
