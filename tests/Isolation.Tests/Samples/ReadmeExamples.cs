using Isolation.Images;

namespace Isolation.Tests.Samples;

/// <summary>
/// The examples of README.md, each between two comments. <see cref="ReadmeTests"/> holds both to be the same, and runs these.
/// </summary>
internal sealed class ReadmeExamples
{
    /// <summary>Takes the place of System.Console in the examples, so that what they print can be looked at.</summary>
    internal ExampleConsole Console { get; } = new();

    internal async Task First()
    {
        // README: first
        var options = new IsolationOptions("sh", "-c", "echo I am process $$ of $(uname -n)")
        {
            HostName = "box",
        };

        var result = await IsolatedProcess.RunAndCaptureTextAsync(options);

        Console.Write(result.StandardOutput);          // I am process 1 of box
        Console.WriteLine(result.ExitStatus.ExitCode); // 0
        // README: end
    }

    internal void Timeout()
    {
        // README: timeout
        var options = new IsolationOptions("sh", "-c", "echo started; sleep 1000");

        var result = IsolatedProcess.RunAndCaptureText(options, timeout: TimeSpan.FromSeconds(2));

        Console.Write(result.StandardOutput); // started
        Console.WriteLine(result.ExitStatus); // signal SIGKILL, canceled
        // README: end
    }

    internal async Task Pipes()
    {
        // README: pipes
        var options = new IsolationOptions("sort")
        {
            StandardInput = StandardStream.Pipe,
            StandardOutput = StandardStream.Pipe,
        };
        await using var process = await IsolatedProcess.StartAsync(options);

        await using (var input = new StreamWriter(process.StandardInput))
            await input.WriteAsync("pear\napple\n");
        await foreach (var line in process.ReadAllLinesAsync())
            Console.WriteLine(line.Content); // apple, then pear

        var status = await process.WaitForExitAsync();
        // README: end
        Console.WriteLine(status);
    }

    // Not run by the tests, whose own standard input it would read; the tests of PidView run the like.
    internal async Task<int> Interactive()
    {
        // README: interactive
        var options = new IsolationOptions("sh") { HostName = "box", Terminal = TerminalOptions.LikeConsole() };

        var status = await IsolatedProcess.RunAsync(options);
        // README: end
        return status.ExitCode;
    }

    internal async Task Terminal()
    {
        // README: terminal
        var options = new IsolationOptions("sh") { Terminal = new TerminalOptions { Columns = 100, Rows = 30 } };
        await using var process = await IsolatedProcess.StartAsync(options);

        await process.Terminal.WriteAsync("tty; stty size; exit\n"u8.ToArray());
        using var screen = new StreamReader(process.Terminal);
        Console.Write(await screen.ReadToEndAsync()); // what was typed, a prompt, /dev/pts/0, 30 100
        // README: end
    }

    internal void Environment()
    {
        // README: environment
        var options = new IsolationOptions("sh", "-c", "echo $GREETING from $PWD")
        {
            WorkingDirectory = "/usr",
            Environment = { ["GREETING"] = "hello", ["LANG"] = null }, // null takes a variable away
        };
        // README: end
        options.Environment["PATH"] = "/usr/bin:/bin";
        Console.Write(IsolatedProcess.RunAndCaptureText(options).StandardOutput);
    }

    internal void Network()
    {
        // README: network
        var options = new IsolationOptions("cat", "/proc/net/dev")
        {
            Namespaces = Namespaces.Network | Namespaces.User, // all else is the host's
        };
        // README: end
        Console.Write(IsolatedProcess.RunAndCaptureText(options).StandardOutput);
    }

    internal void Project(string project)
    {
        // README: project
        var options = new IsolationOptions("sh", "-c", "ls; echo done > result.txt; cat /etc/hostname")
        {
            WorkingDirectory = "/mnt",
            Filesystem =
            {
                Mounts =
                {
                    new BindMount(project, "/mnt") { Writable = true },   // all that can be changed
                    new DeniedPath("/mnt/.env"),                          // seen by name, opened by nobody
                    new FileMount("/etc/hostname", "box\n"),              // from memory, never on a disk
                },
            },
        };
        // README: end
        Console.Write(IsolatedProcess.RunAndCaptureText(options).StandardOutput);
    }

    internal void Tree()
    {
        // README: tree
        var options = new IsolationOptions("/bin/busybox", "ls", "/")
        {
            Filesystem =
            {
                Root = Root.Empty(),
                Mounts = { new BindMount("/bin/busybox"), new TmpfsMount("/work") { Size = 16 << 20 } },
            },
        };
        Console.Write(IsolatedProcess.RunAndCaptureText(options).StandardOutput); // bin dev proc tmp work
        // README: end
    }

    internal void Copy(string folder)
    {
        // README: copy
        var options = new IsolationOptions("/bin/sh", "-c", "rm -rf /bin /etc; echo gone")
        {
            Filesystem = { Root = Root.Directory(folder, RootAccess.CopyOnWrite) },
        };
        // README: end
        Console.Write(IsolatedProcess.RunAndCaptureText(options).StandardOutput);
    }

    internal async Task Images(string storeFolder, string archive)
    {
        // README: image
        using var store = ImageStore.Open(storeFolder);
        var image = await store.ImportAsync(archive); // docker save, or an OCI layout

        var options = image.CreateOptions("ls", "/"); // entrypoint, environment, user, working directory, layers
        var result = await IsolatedProcess.RunAndCaptureTextAsync(options);
        // README: end
        Console.Write(result.StandardOutput);
    }

    internal void Explain()
    {
        // README: explain
        var options = new IsolationOptions("/bin/true")
        {
            Namespaces = Namespaces.Pid | Namespaces.Uts | Namespaces.User,
            HostName = "box",
        };
        Console.WriteLine(options.Explain());
        // README: end
    }

    internal async Task Stop()
    {
        // README: stop
        await using var process = await IsolatedProcess.StartAsync(new IsolationOptions("sleep", "1000") { UseInit = true });

        Console.WriteLine(process.GetProcessIds().Count); // 2: the init and sleep, by the numbers that the host has for them
        process.Pause();                                  // all of them stand still …
        process.Resume();                                 // … and go on
        var status = await process.StopAsync(grace: TimeSpan.FromSeconds(5)); // SIGTERM first, SIGKILL when that is ignored
        Console.WriteLine(status);                        // signal SIGTERM
        // README: end
    }

    internal async Task Suspended()
    {
        // README: suspended
        await using var process = await IsolatedProcess.StartSuspendedAsync(new IsolationOptions("echo", "here I am"));

        Console.WriteLine(process.IsSuspended); // True; its process id and its namespaces are there to be used
        await process.ReleaseAsync();           // here I am
        // README: end
        Console.WriteLine((await process.WaitForExitAsync()).ExitCode);
    }

    internal async Task Detached()
    {
        // README: detached
        var options = new IsolationOptions("sleep", "1000") { StandardInput = StandardStream.Null };
        IsolatedProcess.StartDetached(options, "sleeper").Dispose(); // lets it go on

        await using var process = IsolatedProcess.FindDetached("sleeper")!; // null when there is none
        Console.WriteLine(process.HasExited);                               // False
        process.Kill();
        Console.WriteLine(await process.WaitForExitAsync());                // signal SIGKILL
        // README: end
    }

    internal async Task Joining()
    {
        // README: joining
        await using var box = await IsolatedProcess.StartAsync(new IsolationOptions("sleep", "1000") { HostName = "box" });

        var inside = box.RunAndCaptureText(new IsolationOptions("sh", "-c", "uname -n; cat /proc/1/comm; echo $$"));
        Console.Write(inside.StandardOutput); // box, sleep, 2: in all its namespaces, and confined as it is

        var beside = new IsolationOptions("sh", "-c", "uname -n; echo $$")
        {
            Join = NamespaceSource.FromProcess(box, Namespaces.Network | Namespaces.Ipc | Namespaces.Uts),
        };
        Console.Write(IsolatedProcess.RunAndCaptureText(beside).StandardOutput); // box, 1: in those three; the others are its own

        using var network = NamespaceHandle.FromProcess(box.ProcessId, Namespaces.Network); // lives on without a process; BindTo keeps it in a file
        Console.WriteLine(network.Kind);                                                     // Network
        // README: end
    }

    internal async Task OwnMethod()
    {
        // README: method
        var words = await IsolatedTask.RunAsync(CountWords, "text from a stranger", options => options.Limits[ResourceLimit.CpuTime] = 5);

        Console.WriteLine(words); // 4
        // README: end
    }

    private static int CountWords(string text) => text.Split(' ').Length;

    internal void Landlock()
    {
        // README: landlock
        var options = new IsolationOptions("sh", "-c", "head -n 1 /etc/passwd; ls / || echo refused")
        {
            Namespaces = Namespaces.None,
            StandardError = StandardStream.Null,
            Security = { Landlock = new LandlockPolicy().AllowReadExecute("/usr", "/bin", "/lib").AllowRead("/etc") },
        };
        Console.Write(IsolatedProcess.RunAndCaptureText(options).StandardOutput); // root:x:0:0:…, then refused
        // README: end
    }

    internal async Task Profile()
    {
        // README: profile
        var options = new IsolationOptions("sleep", "1000")
        {
            Security = SecurityOptions.Docker, // or Default, the strict one, or Unconfined
            Scheduling = { Niceness = 10 },
        };
        options.Security.NoNewPrivileges = true; // each is data: to be changed, copied and printed
        await using var process = await IsolatedProcess.StartAsync(options);

        var enforced = process.Enforced;
        Console.WriteLine(enforced.SessionKeyring);       // Empty
        Console.WriteLine(enforced.Capabilities.Ambient); // None
        Console.Write(enforced);                          // all of it: namespaces, ids, capabilities, seccomp, limits, masks …
        // README: end
    }

    internal void Errors()
    {
        // README: errors
        try
        {
            IsolatedProcess.Run(new IsolationOptions("cat") { WorkingDirectory = "/tmp/work" });
        }
        catch (IsolationException e)
        {
            Console.WriteLine(e.Step);    // enter the working directory
            Console.WriteLine(e.Syscall); // chdir
            Console.WriteLine(e.Errno);   // 2, which is ENOENT
            Console.WriteLine(e.Path);    // /tmp/work
            Console.WriteLine(e.Hint);    // The working directory does not exist inside the sandbox (private folders …
        }
        // README: end
    }
}
