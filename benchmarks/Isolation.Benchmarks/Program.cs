using BenchmarkDotNet.Running;
using Isolation.Benchmarks;

return args switch
{
    [] => Usage(Console.Out, 0),
    ["-h" or "--help" or "help"] => Usage(Console.Out, 0),
    [not "bdn", .. var rest] when rest.Contains("--help") => Usage(Console.Out, 0),
    ["spawn", .. var rest] => SpawnSettings.TryParse(rest, out var settings, out var error) ? SpawnBenchmark.Run(settings) : Complain(error),
    ["trees", .. var rest] => TreesSettings.TryParse(rest, out var settings, out var error) ? TreesBenchmark.Run(settings) : Complain(error),
    ["peers", .. var rest] => PeersSettings.TryParse(rest, out var settings, out var error) ? PeersBenchmark.Run(settings) : Complain(error),
    ["scale", .. var rest] => ScaleSettings.TryParse(rest, out var settings, out var error) ? ScaleBenchmark.Run(settings) : Complain(error),
    ["unpack", .. var rest] => UnpackSettings.TryParse(rest, out var settings, out var error) ? await UnpackBenchmark.RunAsync(settings) : Complain(error),
    ["privileges", .. var rest] => SpawnSettings.TryParse(rest, out var settings, out var error) ? PrivilegesBenchmark.Run(settings) : Complain(error),
    ["terminal", .. var rest] => TerminalSettings.TryParse(rest, out var settings, out var error) ? TerminalBenchmark.Run(settings) : Complain(error),
    ["syscalls", .. var rest] => SyscallsSettings.TryParse(rest, out var settings, out var error) ? SyscallsBenchmark.Run(settings) : Complain(error),
    ["release", .. var rest] => ReleaseBenchmark.Run(rest),
    ["enter", .. var rest] => EnterBenchmark.Run(rest),
    ["bdn", .. var rest] => Switch(rest),
    [var first, ..] when first.StartsWith('-') => Switch(args),
    _ => Complain($"Unknown command '{args[0]}'."),
};

static int Switch(string[] args)
{
    // Without a filter the switcher asks which class to run; there is one.
    if (!args.Any(static a => a is "-f" or "--filter" or "--list" or "--info" or "--help" or "--version"))
        args = ["--filter", "*", .. args];
    var summaries = BenchmarkSwitcher.FromAssembly(typeof(StartBenchmarks).Assembly).Run(args);
    return summaries.All(static s => !s.HasCriticalValidationErrors && s.Reports.All(static r => r.Success)) ? 0 : 1;
}

static int Complain(string message)
{
    Console.Error.WriteLine(message);
    return Usage(Console.Error, 2);
}

static int Usage(TextWriter to, int code)
{
    to.WriteLine(
        """
        What does a start cost, and what an image?

          dotnet run -c Release --project benchmarks/Isolation.Benchmarks -- COMMAND

          spawn [--iterations N] [--heap MB] [--json FILE] [--program FILE] [--work DIR]
              Takes some ten seconds. Starts a tiny program in turn by raw C (a floor: the same kernel work and nothing else), by
              System.Diagnostics.Process.Start and by IsolatedProcess.Start, and compares: time to the return of Start and
              to the program's exit, median and 99th percentile, and the managed memory a start allocates.
                --iterations N  rounds for each scenario (default 500)
                --heap MB       measures twice: as it is, and with that many megabytes of live objects
                --json FILE     writes the figures there as well
                --program FILE  starts this one instead, /bin/true for example; it needs no arguments and ends by itself
                --work DIR      where the C programs are built: writable, and not under /tmp, /var/tmp, /run or /dev,
                                which a sandbox has of its own (default: this user's folder for application data)

          trees [--iterations N] [--files N] [--no-peers] [--json FILE] [--work DIR]
              Takes some twenty seconds. A root of its own, put together from folders: by IsolatedProcess.Start, by raw C, and
              by bwrap, runc, crun and unshare where they are installed; and copy on write over a small and a large folder.
                --iterations N  rounds for each (default 200; the slow ones have a tenth of that)
                --files N       how many files the large folder has (default 50000)
                --no-peers      without the other programs

          peers [--iterations N] [--json FILE] [--markdown FILE] [--chart FILE] [--work DIR]
              Takes a minute or two. A full sandbox, with and without a user namespace, by all that can make one on this machine, in turn:
              IsolatedProcess.Start, raw C, unshare, bwrap, runc, crun, Go, firejail, systemd-nspawn, podman, docker (of a daemon
              that runs already, see DOCKER_HOST); and Process.Start without any isolation. Times and memory.
                --iterations N  rounds for each (default 200; the slow ones have a tenth or a twentieth of that)
                --markdown FILE writes the figures there as a page
                --chart FILE    draws them there, as SVG

          scale [--iterations N] [--live N] [--heap MB] [--threads N] [--mounts N] [--json FILE] [--work DIR]
              Takes about two minutes. Starts a second by one, two and four threads at once, against as many processes in C; and what a
              start costs, without and with pipes, as the host grows: live sandboxes, managed heap, threads, mounts (as root,
              in a mount namespace of its own); memory of the host for each live sandbox.
                --iterations N  starts measured in each state (default 300)
                --live N        live sandboxes (default 5000, less where there are not enough descriptors)
                --heap MB       live managed objects (default 4096)
                --threads N     idle threads (default 1000)
                --mounts N      mounts (default 1000)

          unpack [--rounds N] [--work DIR]
              Takes about a minute. Imports an image of one layer (files of this machine's /usr, 200 MB) in turn with
              tar(1) unpacking it, gzip, zstd and uncompressed; and the memory that takes. Needs tar, gzip and zstd.
                --rounds N      rounds for each (default 9)
                --work DIR      where to, about 2 GB (default: /dev/shm, where no disk has a say)

          privileges [--iterations N] [--program FILE] [--work DIR]
              Takes some seconds. What the default seccomp filter, the loss of all capabilities and a keyring of its own add to a
              start: to IsolatedProcess.Start, and to raw C that makes the same calls.

          terminal [--rounds N] [--megabytes N] [--keys N] [--work DIR]
              Takes about a minute and a half. Bytes through a sandbox's terminal and pipes, and the time from a key to its echo, in turn
              with C that does the same between two plain processes.
                --rounds N      rounds (default 5)
                --megabytes N   written in a round, each way (default 1024)
                --keys N        typed in a round (default 2000)
                --work DIR      where the C program is built

          syscalls [--rounds N] [--iterations N] [--work DIR]
              Takes some ten seconds. What a seccomp filter costs a program with each syscall, and a start: none, the
              default one and Docker's, in turn.
                --rounds N      rounds (default 25)
                --iterations N  calls of each kind in a round (default 50000)
                --work DIR      where the C program is built

          release
              Takes some seconds. What is left to be done for a sandbox that was started suspended, against a whole start.

          enter
              Takes some five seconds. A program in a sandbox that runs already, by process.Start and by nsenter with the same namespaces.

          bdn [ARGUMENTS]
              The same calls under BenchmarkDotNet, with its memory diagnoser. Arguments are BenchmarkDotNet's own,
              for example --filter '*Default*' or --job short.

        Works as root and as an ordinary user. For steady figures: an idle machine.
        """);
    return code;
}
