using System.Collections.Concurrent;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class SyscallHandlerTests
{
    private static readonly SeccompProfile s_asksForFolders = SeccompProfile.Default.With(new SeccompRule(SeccompAction.Notify, ["mkdir", "mkdirat"]));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<bool, bool> Ways => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Ways))]
    public async Task A_handler_sees_a_call_and_answers_it(bool isAsync, bool useInit)
    {
        var seen = new ConcurrentQueue<string>();
        var options = Sandbox.Shell("for i in a b c; do mkdir /tmp/$i && echo made $i; done; ls /tmp");
        options.UseInit = useInit;
        options.StandardOutput = options.StandardError = StandardStream.Pipe;
        options.Security.Seccomp = s_asksForFolders;
        options.Security.SyscallHandler = call =>
        {
            var path = call.ReadString(call.GetArgument(call.Syscall == "mkdir" ? 0 : 1));
            seen.Enqueue($"{call.Syscall} {path} {File.ReadAllText($"/proc/{call.ThreadId}/comm").Trim()}");
            return ValueTask.FromResult(path switch
            {
                "/tmp/a" => SyscallAnswer.Continue,
                "/tmp/b" => SyscallAnswer.Return(0), // a lie
                _ => SyscallAnswer.Fail(30), // EROFS
            });
        };
        await using var process = isAsync ? await IsolatedProcess.StartAsync(options, Token) : IsolatedProcess.Start(options);
        var lines = new List<string>();
        await foreach (var line in process.ReadAllLinesAsync(Token)) lines.Add(line.Content);

        lines.Where(line => !line.StartsWith("mkdir", StringComparison.Ordinal)).Should().Equal("made a", "made b", "a");
        lines.Should().ContainSingle(line => line.Contains("Read-only file system"));
        seen.Select(call => call[call.IndexOf('/')..]).Should().Equal("/tmp/a mkdir", "/tmp/b mkdir", "/tmp/c mkdir");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_handler_that_fails_refuses_the_call_and_is_logged()
    {
        var logger = new ListLogger(Microsoft.Extensions.Logging.LogLevel.Warning);
        var options = Sandbox.Shell("mkdir /tmp/a 2>&1; ls /tmp");
        options.Logger = logger;
        options.Security.Seccomp = s_asksForFolders;
        options.Security.SyscallHandler = static _ => throw new InvalidOperationException("broken");
        var output = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);

        output.StandardOutput.Should().Contain("not permitted").And.NotContain("\na\n");
        logger.Entries.Should().Contain(entry => entry.Message.Contains("handler of", StringComparison.Ordinal));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_handler_may_take_its_time_and_the_sandbox_can_be_ended_meanwhile()
    {
        var asked = new TaskCompletionSource<SyscallNotification>(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource<SyscallAnswer>();
        var options = Sandbox.Shell("mkdir /tmp/a");
        options.Security.Seccomp = s_asksForFolders;
        options.Security.SyscallHandler = call =>
        {
            asked.TrySetResult(call);
            return new ValueTask<SyscallAnswer>(answer.Task);
        };
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        var pending = await asked.Task.WaitAsync(Token);
        pending.IsPending.Should().BeTrue();
        process.Kill();
        (await process.WaitForExitAsync(Token)).SignalNumber.Should().Be(9);

        pending.IsPending.Should().BeFalse();
        pending.ReadString(pending.GetArgument(0)).Should().BeNull();
        answer.SetResult(SyscallAnswer.Continue); // too late, and harmless
    }

    [Fact(Timeout = 30_000)]
    public async Task A_handler_opens_a_file_on_the_programs_behalf()
    {
        using var folder = new TemporaryFolder();
        var secret = folder.File("secret", "from the host\n");
        using var handle = File.OpenHandle(secret);
        var options = new IsolationOptions("cat", "/nowhere/at-all") { StandardInput = StandardStream.Null };
        options.Security.Seccomp = SeccompProfile.Default.With(new SeccompRule(SeccompAction.Notify, ["open", "openat"]));
        options.Security.SyscallHandler = call =>
        {
            var path = call.ReadString(call.GetArgument(call.Syscall == "open" ? 0 : 1));
            return ValueTask.FromResult(path == "/nowhere/at-all" ? SyscallAnswer.Give(handle) : SyscallAnswer.Continue);
        };

        (await Sandbox.OutputOf(options)).Should().Be("from the host\n");
        handle.IsClosed.Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task Refusals_are_reported_with_call_and_path()
    {
        var denials = new ConcurrentQueue<SyscallDenial>();
        var options = Sandbox.Shell("mkdir /tmp/x; mount -t tmpfs t /tmp/x; umount /proc; rmdir /tmp/x; echo end");
        options.Security.Seccomp = SeccompProfile.Default.Denying("rmdir", "unlinkat");
        options.Security.DenialReporter = denials.Enqueue;
        var output = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);

        output.StandardOutput.Should().Be("end\n");
        while (denials.Count < 3) await Task.Delay(5, Token); // told after the program
        var seen = denials.Select(denial => $"{denial.Call.Syscall} {denial.Path} {denial.Errno}").ToArray();
        seen.Should().ContainMatch("*mount* /tmp/x 1").And.ContainMatch("umount2 /proc 1").And.Contain("rmdir /tmp/x 1");
        seen.Should().NotContain(line => line.StartsWith("mkdir", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task Nothing_stays_behind()
    {
        var options = Sandbox.Shell("mkdir /tmp/a");
        options.Security.Seccomp = s_asksForFolders;
        options.Security.SyscallHandler = static _ => ValueTask.FromResult(SyscallAnswer.Continue);
        IsolatedProcess.Run(options).ExitCode.Should().Be(0);
        for (var i = 0; i < 50; i++) (await IsolatedProcess.RunAsync(options, Token)).ExitCode.Should().Be(0);
        var missing = new IsolationOptions("/nothing-here");
        missing.Security.Seccomp = s_asksForFolders;
        missing.Security.SyscallHandler = options.Security.SyscallHandler;
        for (var i = 0; i < 10; i++)
        {
            var start = () => IsolatedProcess.Start(missing);
            start.Should().Throw<IsolationException>().Which.Errno.Should().Be(2);
        }

        Directory.GetFiles("/proc/self/fd").Select(fd => new FileInfo(fd).LinkTarget).Count(link => link == "anon_inode:seccomp notify").Should().BeLessThan(20,
            "other tests may have some");
    }

    [Fact]
    public void What_cannot_work_is_an_argument_error()
    {
        Refused(static security => security.Seccomp = s_asksForFolders).Should().Contain("SyscallHandler is null");
        Refused(static security => security.SyscallHandler = Allow).Should().Contain("no rule");
        Refused(static security => (security.Seccomp, security.SyscallHandler) = (null, Allow)).Should().Contain("no profile");
        Refused(static security => (security.Seccomp, security.DenialReporter) = (null, static _ => { })).Should().Contain("no profile");
        Refused(static security => (security.DenialReporter, security.NoNewPrivileges) = (static _ => { }, false)).Should().Contain("NoNewPrivileges");

        static ValueTask<SyscallAnswer> Allow(SyscallNotification call) => ValueTask.FromResult(SyscallAnswer.Continue);

        static string Refused(Action<SecurityOptions> change)
        {
            var options = new IsolationOptions("true");
            change(options.Security);
            return FluentActions.Invoking(() => IsolatedProcess.Start(options)).Should().Throw<ArgumentException>().Which.Message;
        }
    }
}
