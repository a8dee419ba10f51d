using System.Diagnostics;
using System.Globalization;
using FluentAssertions;
using Isolation.Interop;
using Isolation.Planning;
using Isolation.Tests.Escapes;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Joining;

/// <summary>
/// A sandbox whose program does nothing but try to get at the memory of whoever joins it, with nothing that keeps it from trying: no filter, and
/// the same user. What it looks for is the plan of the set-up, which every joining process has at a fixed address until it executes its program.
/// </summary>
public sealed class HostileSandboxTests : IDisposable
{
    private const int Patience = 120_000;
    private const int Joins = 500;

    // Tries whoever has the last process id or one of the next two, over and over; tells what came of it at the end of its input.
    private const string Source = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <poll.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/ptrace.h>
        #include <sys/syscall.h>
        #include <sys/uio.h>
        #include <sys/wait.h>
        #include <unistd.h>
        #define BASE ((void *)0x500000)
        #define MAGIC 0x49534f31u
        static long refused, hits;
        static void see(long got, unsigned *value) {
          if (got == 4 && *value == MAGIC) hits++;
          else if (got < 0 && (errno == EPERM || errno == EACCES)) refused++;
        }
        int main(void) {
          int self = getpid(), loads = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
          puts("ready"); fflush(stdout);
          for (;;) {
            struct pollfd input = { 0, POLLIN, 0 };
            if (poll(&input, 1, 0) > 0) break;
            char text[128] = "";
            pread(loads, text, sizeof text - 1, 0);
            char *space = strrchr(text, ' ');
            int last = space ? atoi(space + 1) : self;
            for (int i = 0; i < 60; i++)
              for (int pid = last; pid < last + 3; pid++) {
                if (pid <= self) continue;
                unsigned value = 0;
                struct iovec local = { &value, 4 }, remote = { BASE, 4 };
                see(syscall(SYS_process_vm_readv, pid, &local, 1ul, &remote, 1ul, 0ul), &value);
                if (i % 4) continue;
                char path[64];
                snprintf(path, sizeof path, "/proc/%d/mem", pid);
                int memory = open(path, O_RDWR | O_CLOEXEC);
                if (memory < 0) { if (errno == EACCES || errno == EPERM) refused++; continue; }
                value = 0;
                see(pread(memory, &value, 4, 0x500000), &value);
                close(memory);
                int pidfd = syscall(SYS_pidfd_open, pid, 0);
                int stolen = pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, 3, 0);
                if (stolen >= 0) { close(stolen); }
                if (pidfd >= 0) close(pidfd);
              }
          }
          printf("%ld %ld\n", refused, hits);
          return 0;
        }
        """;

    private readonly TemporaryFolder _folder = new("hostile-");
    private readonly string? _program;

    public HostileSandboxTests()
    {
        if ((Programs.Find("gcc") ?? Programs.Find("cc") ?? Programs.Find("clang")) is not { } compiler) return;
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        _program = _folder.Path + "/poller";
        using var process = Process.Start(compiler, ["-O2", "-o", _program, _folder.File("poller.c", Source)]);
        process.WaitForExit();
        process.ExitCode.Should().Be(0);
    }

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = Patience)]
    [InlineData(true)]
    [InlineData(false)]
    [EscapeAttempt(1)]
    public async Task Attempt_01_in_500_joins_it_reads_nothing_of_who_joins(bool inUserNamespace)
    {
        var (refused, hits) = await Attack(inUserNamespace, Joins, static _ => { });

        hits.Should().Be(0);
        refused.Should().BeGreaterThan(0, because: "it has tried while there was something to read");
    }

    [Fact(Timeout = Patience)]
    [EscapeAttempt(1)]
    public async Task Attempt_01_it_would_if_the_joining_process_did_not_keep_it_out()
    {
        var (refused, hits) = await Attack(inUserNamespace: false, Joins / 10, static plan =>
        {
            foreach (ref var step in plan.Steps)
                if (step.Call == Sys.prctl && step.Values[0] == Linux.PR_SET_DUMPABLE) step.Values[1] = 1;
        });

        hits.Should().BeGreaterThan(0, because: "else the attack would show nothing, and it was refused {0} times", refused);
    }

    [Fact(Timeout = Patience)]
    [EscapeAttempt(1)]
    public async Task Attempt_01_a_sandbox_of_roots_that_may_trace_is_not_joined()
    {
        Assert.SkipUnless(Privilege.CanAdminister, "Without a user namespace only root makes these namespaces.");
        var options = Options(inUserNamespace: false, "sleep", "1000");
        options.Security.Capabilities = CapabilitySets.Of(Capabilities.SysPTrace);
        await using var sandbox = await IsolatedProcess.StartAsync(options, TestContext.Current.CancellationToken);

        var enter = () => sandbox.Run(new IsolationOptions("true"));
        enter.Should().Throw<ArgumentException>().WithMessage("*CAP_SYS_PTRACE*");
        var byNumber = () => IsolatedProcess.Run(new IsolationOptions("true") { Join = NamespaceSource.FromProcess(sandbox.ProcessId) });
        byNumber.Should().Throw<ArgumentException>().WithMessage("*CAP_SYS_PTRACE*");
        var byHandle = () =>
        {
            using var handle = sandbox.OpenNamespace(Namespaces.Pid);
            IsolatedProcess.Run(new IsolationOptions("true") { Join = NamespaceSource.FromHandles(handle) });
        };
        byHandle.Should().Throw<ArgumentException>().WithMessage("*CAP_SYS_PTRACE*");
    }

    [Fact(Timeout = Patience)]
    public async Task Nor_is_one_that_another_has_joined_who_may_trace()
    {
        Assert.SkipUnless(Privilege.CanAdminister, "Without a user namespace only root makes these namespaces.");
        await using var sandbox = await IsolatedProcess.StartAsync(Options(inUserNamespace: false, "sleep", "1000"), TestContext.Current.CancellationToken);
        sandbox.Run(new IsolationOptions("true")).ExitCode.Should().Be(0);
        var tracer = new IsolationOptions("sleep", "1000") { Security = { Capabilities = CapabilitySets.Of(Capabilities.SysPTrace) } };
        await using var inside = await sandbox.StartAsync(tracer, cancellationToken: TestContext.Current.CancellationToken);

        foreach (var way in (IsolatedProcess[])[sandbox, inside])
        {
            var enter = () => way.Run(new IsolationOptions("true"));
            enter.Should().Throw<ArgumentException>().WithMessage("*CAP_SYS_PTRACE*");
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_program_that_enters_signals_nobody_outside()
    {
        await using var sandbox = await Sandbox.Waiting();
        using var canary = Process.Start("sleep", "1000");
        try
        {
            var status = await sandbox.RunAsync(Sandbox.Shell($"kill -9 {canary.Id.ToString(CultureInfo.InvariantCulture)} 2> /dev/null; kill -9 -1 2> /dev/null; true"),
                cancellationToken: TestContext.Current.CancellationToken);

            canary.HasExited.Should().BeFalse();
            status.ToString().Should().Be("exit code 0");
            sandbox.HasExited.Should().BeFalse(because: "process 1 is out of reach for those inside");
        }
        finally
        {
            canary.Kill();
        }
    }

    private static IsolationOptions Options(bool inUserNamespace, string program, params string[] arguments) => new(program, arguments)
    {
        Namespaces = inUserNamespace ? Namespaces.Default : Namespaces.Default & ~Namespaces.User,
        StandardInput = StandardStream.Null,
    };

    private async Task<(long Refused, long Hits)> Attack(bool inUserNamespace, int joins, Action<LaunchPlan> weaken)
    {
        Assert.SkipUnless(inUserNamespace || Privilege.CanAdminister, "Without a user namespace only root makes these namespaces.");
        Assert.SkipUnless(_program is not null, "no C compiler (Debian: gcc libc6-dev)");
        var options = Options(inUserNamespace, _program!);
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        options.Filesystem.PrivateTmp = false;
        options.Security.Seccomp = null;
        await using var sandbox = await IsolatedProcess.StartAsync(options, TestContext.Current.CancellationToken);
        (await sandbox.ReadLine()).Should().Be("ready");

        var hooks = new Launching.LaunchHooks(plan =>
        {
            weaken(plan);
            // The moment that is best for the attack, when all privileges are gone, lasts a millisecond.
            foreach (ref var step in plan.Steps)
                if (step.Label == "set the umask")
                    step = LaunchPlan.Syscall(Sys.ppoll, step.Label, null, 0, 0, plan.Struct(new timespec { tv_nsec = 1_000_000 }), 0, 8);
        });
        for (var i = 0; i < joins; i++)
        {
            var child = IsolatedProcess.Launch(new IsolationOptions("/bin/true") { StandardInput = StandardStream.Null }.Joining(sandbox, Namespaces.All), default, hooks);
            child.Wait(null);
            child.Exit.Result.ExitCode.Should().Be(0);
        }

        await sandbox.WriteLine("");
        var counts = (await sandbox.ReadLine()).Split(' ');
        return (long.Parse(counts[0], CultureInfo.InvariantCulture), long.Parse(counts[1], CultureInfo.InvariantCulture));
    }
}
