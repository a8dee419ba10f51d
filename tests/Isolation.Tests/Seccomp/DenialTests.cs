using System.Collections.Concurrent;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>The call that a program was killed for has a name, on request.</summary>
public sealed class DenialTests(RawCalls calls) : IClassFixture<RawCalls>
{
    private static readonly SeccompProfile s_killsForFolders = SeccompProfile.Default.With(new SeccompRule(SeccompAction.KillProcess, "mkdir", "mkdirat"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [InlineData(false, Namespaces.Default)]
    [InlineData(true, Namespaces.Default)]
    [InlineData(false, Namespaces.None)]
    public async Task A_program_that_is_killed_for_a_call_says_for_which(bool useInit, Namespaces namespaces)
    {
        var denials = new ConcurrentQueue<SyscallDenial>();
        var options = new IsolationOptions("mkdir", "/tmp/never") { UseInit = useInit, Namespaces = namespaces, StandardInput = StandardStream.Null };
        options.Security.Seccomp = s_killsForFolders;
        (await IsolatedProcess.RunAsync(options, Token)).Denial.Should().BeNull("nobody has asked for it");

        options.Security.DenialReporter = denials.Enqueue;
        var status = await IsolatedProcess.RunAsync(options, Token);
        (status.SignalNumber, status.ExitCode, status.Reason).Should().Be((31, 128 + 31, ProcessEndReason.Signaled), "it is as without a reporter");
        status.Denial!.Call.Syscall.Should().StartWith("mkdir");
        (status.Denial.Path, status.Denial.Errno, status.Denial.IsFatal).Should().Be(("/tmp/never", 0, true));
        status.Denial.ToString().Should().Contain("mkdir").And.Contain("killed");
        while (denials.IsEmpty) await Task.Delay(5, Token); // told after the program
        denials.Should().ContainSingle().Which.Should().Be(status.Denial);
    }

    [Fact(Timeout = 30_000)]
    public async Task Who_is_started_by_the_program_is_killed_alone()
    {
        var denials = new ConcurrentQueue<SyscallDenial>();
        var options = Sandbox.Shell("sh -c 'mkdir /tmp/a; echo unreached' 2>/dev/null; mkdir /tmp/b; echo $?; ls /tmp; kill -9 $$");
        options.UseInit = true;
        options.StandardError = StandardStream.Null; // the shell says that its child was killed
        options.Security.Seccomp = s_killsForFolders;
        options.Security.DenialReporter = denials.Enqueue;
        var output = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
        output.StandardOutput.Should().Be("unreached\n137\n", "a shell goes on without its mkdir");
        (output.ExitStatus.SignalNumber, output.ExitStatus.Denial).Should().Be((9, null), "its own end is another");
        while (denials.Count < 2) await Task.Delay(5, Token);
        denials.Select(static denial => denial.Path).Should().Equal("/tmp/a", "/tmp/b");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_call_of_a_foreign_architecture_has_its_name()
    {
        RawCalls.RequireX64();
        const string getpid = "20";
        var (without, status) = await calls.Run(null, "int80", getpid);
        Assert.SkipUnless(status.ExitCode == 0 && without.Single() == "1", "This kernel has no 32-bit syscalls (CONFIG_IA32_EMULATION).");
        var options = calls.Options(SeccompProfile.Default, "int80", getpid);
        options.Security.DenialReporter = static _ => { };
        var end = await IsolatedProcess.RunAsync(options, Token);
        (end.SignalNumber, end.Denial?.Call.Architecture, end.Denial?.Call.Syscall).Should().Be((31, SeccompArchitecture.X86, "getpid"));
    }
}
