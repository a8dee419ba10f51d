using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class LimitTests
{
    /// <summary>Lower than any host has them, so that nobody needs a privilege, and in the order and words of /proc/PID/limits.</summary>
    private static readonly (ResourceLimit Limit, LimitRange Range, string Line)[] s_limits =
    [
        (ResourceLimit.CpuTime, new(50, 60), "Max cpu time 50 60 seconds"),
        (ResourceLimit.FileSize, new(4096, 8192), "Max file size 4096 8192 bytes"),
        (ResourceLimit.Data, 1ul << 30, "Max data size 1073741824 1073741824 bytes"),
        (ResourceLimit.Stack, new(1 << 20, 2 << 20), "Max stack size 1048576 2097152 bytes"),
        (ResourceLimit.CoreDump, 0, "Max core file size 0 0 bytes"),
        (ResourceLimit.ResidentSet, 1ul << 40, "Max resident set 1099511627776 1099511627776 bytes"),
        (ResourceLimit.Processes, 5000, "Max processes 5000 5000 processes"),
        (ResourceLimit.OpenFiles, new(20, 30), "Max open files 20 30 files"),
        (ResourceLimit.LockedMemory, new(0, 4096), "Max locked memory 0 4096 bytes"),
        (ResourceLimit.AddressSpace, 1ul << 31, "Max address space 2147483648 2147483648 bytes"),
        (ResourceLimit.FileLocks, 7, "Max file locks 7 7 locks"),
        (ResourceLimit.PendingSignals, 8, "Max pending signals 8 8 signals"),
        (ResourceLimit.MessageQueues, 9, "Max msgqueue size 9 9 bytes"),
        (ResourceLimit.Nice, 0, "Max nice priority 0 0"),
        (ResourceLimit.RealTimePriority, 0, "Max realtime priority 0 0"),
        (ResourceLimit.RealTime, 11, "Max realtime timeout 11 11 us"),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_limit_holds_inside(bool useInit)
    {
        var options = Sandbox.Shell(":");
        options.UseInit = useInit;
        foreach (var (limit, range, _) in s_limits) options.Limits[limit] = range;
        options.Arguments[1] = "cat /proc/self/limits";
        var inside = Lines(await Sandbox.OutputOf(options));

        inside.Should().Contain(s_limits.Select(entry => entry.Line));
        s_limits.Select(entry => entry.Limit).Should().Equal(Enum.GetValues<ResourceLimit>(), "none is left out");
    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_not_named_stays_the_hosts_own()
    {
        var host = Lines(File.ReadAllText("/proc/self/limits")).Where(line => !line.StartsWith("Max open files", StringComparison.Ordinal));
        var options = Sandbox.Shell("cat /proc/self/limits");
        options.Limits[ResourceLimit.OpenFiles] = 64;

        Lines(await Sandbox.OutputOf(options)).Should().Contain(host).And.Contain("Max open files 64 64 files");
        options.Limits[ResourceLimit.OpenFiles].Should().Be(new LimitRange(64, 64));
        options.Limits[ResourceLimit.OpenFiles] = null;
        options.Limits[ResourceLimit.OpenFiles].Should().BeNull();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_that_uses_too_much_is_stopped()
    {
        var busy = Sandbox.Shell("while :; do :; done");
        busy.Limits[ResourceLimit.CpuTime] = 1;
        var status = await IsolatedProcess.RunAsync(busy, Token);
        status.SignalNumber.Should().Be(9); // SIGXCPU does nothing to process 1, the hard limit does

        var writes = Sandbox.Shell("trap '' XFSZ; head -c 10000 /dev/zero > /tmp/file; stat -c %s /tmp/file");
        writes.Limits[ResourceLimit.FileSize] = 4096;
        (await IsolatedProcess.RunAndCaptureTextAsync(writes, Token)).StandardOutput.Should().Be("4096\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Few_descriptors_are_no_hindrance_for_the_set_up()
    {
        using var zero = File.OpenHandle("/dev/zero");
        var options = new IsolationOptions("head", "-c", "3", "/proc/self/fd/9") { StandardInput = StandardStream.Null };
        options.Limits[ResourceLimit.OpenFiles] = 4; // the next one, 3, is the last; 9 is open already
        options.InheritedHandles[9] = zero;

        (await Sandbox.OutputOf(options)).Should().Be("\0\0\0");
    }

    [Fact]
    public void A_hard_limit_above_the_hosts_own_needs_a_privilege()
    {
        var options = new IsolationOptions("true");
        options.Limits[ResourceLimit.OpenFiles] = 1ul << 60; // above fs.nr_open, so refused to everybody
        var failure = FluentActions.Invoking(() => IsolatedProcess.Start(options)).Should().Throw<IsolationException>().Which;

        failure.Syscall.Should().Be("prlimit64");
        failure.Path.Should().Be("OpenFiles: " + (1ul << 60).ToString(CultureInfo.InvariantCulture));
        failure.Hint.Should().Contain("CAP_SYS_RESOURCE");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_is_killed_first_when_memory_is_short_can_be_chosen(bool useInit)
    {
        var before = File.ReadAllText("/proc/self/oom_score_adj");
        var options = Sandbox.Shell("cat /proc/self/oom_score_adj");
        options.UseInit = useInit;
        options.Limits.OomScoreAdjustment = 987;

        (await Sandbox.OutputOf(options)).Should().Be("987\n");
        File.ReadAllText("/proc/self/oom_score_adj").Should().Be(before, "the host's own is untouched");
    }

    [Fact(Timeout = 30_000)]
    public void A_sandbox_in_a_user_namespace_cannot_be_spared_more_than_its_host()
    {
        Assert.SkipWhen(int.Parse(File.ReadAllText("/proc/self/oom_score_adj"), CultureInfo.InvariantCulture) == -1000, "The host itself is never killed.");
        var options = new IsolationOptions("true");
        options.Limits.OomScoreAdjustment = -1000;
        var failure = FluentActions.Invoking(() => IsolatedProcess.Start(options)).Should().Throw<IsolationException>().Which;

        failure.Errno.Should().Be(13);
        failure.Hint.Should().Contain("oom_score_adj");
    }

    [Fact(Timeout = 30_000)]
    public async Task New_files_have_the_permissions_that_the_umask_leaves()
    {
        (await Sandbox.OutputOf("umask")).Should().Be("0022\n");
        var options = Sandbox.Shell("umask; : > /tmp/file; stat -c %a /tmp/file");
        options.Umask = 0x3f; // octal 077
        (await Sandbox.OutputOf(options)).Should().Be("0077\n600\n");
    }

    [Fact]
    public void What_makes_no_sense_is_refused_at_once()
    {
        var options = new IsolationOptions("true");
        FluentActions.Invoking(() => options.Limits[ResourceLimit.Stack] = new LimitRange(2, 1)).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => options.Limits[(ResourceLimit)16]).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => options.Limits.OomScoreAdjustment = 1001).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => options.Umask = 512).Should().Throw<ArgumentOutOfRangeException>();
        new LimitRange(1, LimitRange.Infinity).ToString().Should().Be("1 of at most unlimited");
    }

    private static string[] Lines(string limits) =>
        [.. limits.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
}
