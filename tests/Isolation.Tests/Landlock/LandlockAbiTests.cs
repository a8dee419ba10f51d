using FluentAssertions;
using Isolation.Interop;
using Isolation.Launching;
using Isolation.Planning;
using Isolation.Tests.Support;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Isolation.Tests;

/// <summary>What a start makes of kernels whose Landlock knows less: the answer to the question for its ABI is forced, the kernel is this one.</summary>
public sealed class LandlockAbiTests : IDisposable
{
    public static TheoryData<int> Abis => [1, 2, 3, 4, 5, 6, 7];

    public void Dispose() => LandlockSupport.ForcedAbi = null;

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Abis))]
    public async Task All_that_an_ABI_knows_is_enforced(int abi)
    {
        Landlocked.Require(abi);
        LandlockSupport.ForcedAbi = abi;
        var policy = LandlockPolicy.ForAbi(abi);
        policy.RequiredAbi.Should().Be(Math.Min(abi, 6), "ABI 7 has brought nothing that is denied");
        policy = policy with { Log = LandlockAbi.Log(abi) };
        await using var process = await Sandbox.Waiting(Landlocked.Alone(policy.AllowReadExecute("/").AllowWrite("/dev/null"), ":"));
        process.Landlock!.Abi.Should().Be(abi);
        process.Landlock.IsComplete.Should().BeTrue();
        process.Landlock.IsEnforced.Should().BeTrue();
        process.Landlock.DeniesRefer.Should().Be(abi == 1);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Abis))]
    public void What_an_ABI_lacks_is_told_before_anything_is_created(int abi)
    {
        var all = LandlockPolicy.ForAbi(7) with { Log = LandlockLog.NewExecOn };
        LandlockSupport.ForcedAbi = abi - 1;
        foreach (var policy in (LandlockPolicy[])[all, LandlockPolicy.ForAbi(abi)])
        {
            if (policy.RequiredAbi < abi) continue;
            var missing = abi == 1 ? "*ABI 1*lsm=*" : $"*ABI {policy.RequiredAbi}*Linux*ABI {abi - 1}*BestEffort*";
            if (abi == 1) LandlockSupport.ForcedAbi = -(int)Errno.EOPNOTSUPP;
            var options = new IsolationOptions("/no/such/program") { Security = { Landlock = policy } };
            foreach (var start in (Action[])[() => IsolatedProcess.Start(options), () => options.Explain()])
            {
                var error = start.Should().Throw<IsolationException>().Which;
                error.Step.Should().Be("restrict the program with Landlock");
                error.Syscall.Should().Be("landlock_create_ruleset");
                error.Hint.Should().Match(abi == 1 ? "*lsm=landlock*" : missing);
            }
        }
    }

    [Theory]
    [InlineData((int)Errno.ENOSYS, "*Linux 5.13*CONFIG_SECURITY_LANDLOCK*")]
    [InlineData((int)Errno.EOPNOTSUPP, "*lsm=landlock*")]
    [InlineData((int)Errno.EPERM, "*outer sandbox*")]
    public void That_there_is_none_is_told_with_its_cause(int errno, string hint)
    {
        LandlockSupport.ForcedAbi = -errno;
        LandlockPolicy.KernelAbi.Should().Be(0);
        var options = new IsolationOptions("true") { Security = { Landlock = LandlockPolicy.ForAbi(1) } };
        var error = ((Action)(() => IsolatedProcess.Start(options))).Should().Throw<IsolationException>().Which;
        error.Errno.Should().Be(errno);
        error.Hint.Should().Match(hint);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public async Task Best_effort_enforces_what_there_is_and_says_so(int abi)
    {
        Landlocked.Require(abi);
        LandlockSupport.ForcedAbi = abi == 0 ? -(int)Errno.EOPNOTSUPP : abi;
        using var folder = new TemporaryFolder();
        var file = folder.File("file", "content");
        Directory.CreateDirectory(folder.Path + "/dir");
        var logger = new ListLogger(LogLevel.Warning);
        // Opened for reading first: that is always allowed.
        var options = Landlocked.Alone(Policy(), """
            cat "$1/file" > /dev/null && echo read
            (echo more >> "$1/file") 2> /dev/null && echo written
            truncate -s 3 "$1/file" 2> /dev/null && echo truncated
            ln "$1/file" "$1/dir/file" 2> /dev/null && echo linked
            """, folder.Path);
        options.Logger = logger;
        options.Arguments[1] = options.Arguments[1].Replace("truncate -s 3", "python3 -c 'import os, sys; os.truncate(sys.argv[1], 3)'", StringComparison.Ordinal);
        Programs.Require("python3");
        options.StandardOutput = StandardStream.Pipe;
        await using var process = await IsolatedProcess.StartAsync(options, TestContext.Current.CancellationToken);
        var report = process.Landlock!;
        report.Abi.Should().Be(abi);
        report.IsEnforced.Should().Be(abi > 0);
        report.IsComplete.Should().Be(abi == 7);
        report.MissingLog.Should().Be(abi < 7 ? LandlockLog.NewExecOn : 0);
        report.Scopes.Should().Be(abi >= 6 ? LandlockScopes.All : 0);
        report.MissingAccess.Should().Be(
            (abi < 1 ? LandlockAccess.All : 0) | (abi < 2 ? LandlockAccess.Refer : 0) | (abi < 3 ? LandlockAccess.Truncate : 0) | (abi < 5 ? LandlockAccess.IoctlDev : 0));
        report.DeniesRefer.Should().Be(abi == 1);
        logger.Entries.Any(entry => entry.Message.Contains(report.ToString(), StringComparison.Ordinal)).Should().Be(abi < 7);

        // Linking is allowed by a rule: with ABI 1 the kernel denies it nevertheless. Truncating it can deny since ABI 3.
        using var reader = new StreamReader(process.StandardOutput);
        var expected = "read\n" + (abi == 0 ? "written\n" : "") + (abi < 3 ? "truncated\n" : "") + (abi != 1 ? "linked\n" : "");
        (await reader.ReadToEndAsync(TestContext.Current.CancellationToken)).Should().Be(expected);
        File.ReadAllText(file).Should().StartWith("con");

        LandlockPolicy Policy() => new LandlockPolicy { Enforcement = LandlockEnforcement.BestEffort, Log = LandlockLog.NewExecOn }
            .AllowReadExecute("/").AllowPath(folder.Path, LandlockAccess.Refer | LandlockAccess.MakeReg).AllowReadWrite("/dev/null").AllowConnectTcp(443);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_newer_kernel_than_is_known_here_is_not_asked_for_more()
    {
        Landlocked.Require(1);
        LandlockSupport.ForcedAbi = 99;
        await using var process = await Sandbox.Waiting(Landlocked.Alone(LandlockPolicy.ForAbi(1).AllowReadExecute("/").AllowReadWrite("/dev/null"), ":"));
        process.Landlock!.Abi.Should().Be(99);
        process.Landlock.IsComplete.Should().BeTrue();
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_a_policy_there_is_no_report()
    {
        await using var process = await Sandbox.Waiting();
        process.Landlock.Should().BeNull();
    }

    [Fact]
    public void The_kernels_own_answer_is_the_ABI()
    {
        LandlockPolicy.KernelAbi.Should().BeInRange(0, 99);
        Landlocked.Require(1);
        var report = new LandlockReport(new LandlockPolicy(), LandlockPolicy.KernelAbi);
        report.HandledAccess.Should().HaveFlag(LandlockAccess.MakeSym);
        report.ToString().Should().StartWith($"Landlock ABI {LandlockPolicy.KernelAbi}; enforced: ");
    }
}
