using System.Text.RegularExpressions;
using FluentAssertions;
using Xunit;

namespace Isolation.Tests.Samples;

public partial class NamespaceTourTests(NamespaceTourRun run) : IClassFixture<NamespaceTourRun>
{
    private static readonly string[] s_names = ["pid", "mount", "uts", "ipc", "network", "user", "cgroup", "time"];

    [Theory]
    [InlineData("pid", @"^the shell's own number +1 +\d+$")]
    [InlineData("pid", @"^processes +1 sh, 2 sleep +\d+ of them$")]
    [InlineData("mount", @"^/ is +read-only ")]
    [InlineData("mount", @"^/tmp/tour-\d+ says +hello +there is no such file$")]
    [InlineData("uts", @"^host name +elsewhere +(?!elsewhere)\S+$")]
    [InlineData("uts", @"^domain name +example +(?!example)\S+$")]
    [InlineData("ipc", @"^/dev/shm/tour-\d+ +hello +there is no such file$")]
    [InlineData("network", @"^interfaces +lo  ")]
    [InlineData("network", @"^127\.0\.0\.1:\d+ +nobody listens +this program listens$")]
    [InlineData("user", @"^user id of the shell +0 +\d+$")]
    [InlineData("user", @"^capabilities +\d\d over the sandbox +none over the host$")]
    [InlineData("cgroup", @"^the shell's group +/  +/")]
    [InlineData("time", @"^up for +\d{4,} days, \d+ h +\d+ \w+")]
    public void Each_stop_shows_what_differs(string name, string line)
    {
        Assert.SkipUnless(name != "time" || File.Exists("/proc/self/ns/time"), "needs a kernel with time namespaces (CONFIG_TIME_NS)");

        var stop = Stop(name);

        stop.Should().MatchRegex("(?m)" + line);
        var numbers = NamespaceNumbers().Match(stop);
        numbers.Success.Should().BeTrue();
        numbers.Groups["inside"].Value.Should().NotBe(numbers.Groups["outside"].Value, because: "the namespace is not the host's");
    }

    [Fact]
    public void A_shared_memory_segment_made_inside_is_not_on_the_host()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/ipcmk") && File.Exists("/proc/sysvipc/shm"), "needs ipcmk(1) of util-linux and a kernel with System V IPC");

        Stop("ipc").Should().MatchRegex(@"(?m)^System V segments +1 +\d+$");
    }

    [Fact]
    public void Without_arguments_it_visits_all_eight()
    {
        run.Result.Error.Should().BeEmpty();
        run.Result.ExitCode.Should().Be(0);
        run.Result.Lines.Select(line => line.Split(": ")[0]).Where(s_names.Contains).Should().Equal(s_names);
    }

    [Fact(Timeout = 120_000)]
    public async Task It_visits_the_stops_asked_for_in_that_order()
    {
        var result = await SampleProcess.RunAsync("NamespaceTour", "uts", "pid", "uts");

        result.ExitCode.Should().Be(0);
        result.Lines.Select(line => line.Split(':')[0]).Where(s_names.Contains).Should().Equal("uts", "pid");
    }

    [Fact(Timeout = 120_000)]
    public async Task It_lists_its_stops()
    {
        var result = await SampleProcess.RunAsync("NamespaceTour", "--list");

        result.ExitCode.Should().Be(0);
        result.Lines.Where(line => line.Length > 0).Select(line => line.Split(' ')[0]).Should().Equal(s_names);
    }

    [Fact(Timeout = 120_000)]
    public async Task An_unknown_stop_is_exit_code_2()
    {
        var result = await SampleProcess.RunAsync("NamespaceTour", "pid", "nowhere");

        result.ExitCode.Should().Be(2);
        result.Output.Should().BeEmpty();
        result.Error.Should().Contain("no stop 'nowhere'").And.Contain("Usage: NamespaceTour");
    }

    [Fact(Timeout = 120_000)]
    public async Task On_a_terminal_it_draws_boxes_80_columns_wide()
    {
        Assert.SkipUnless(SampleProcess.HasScript, "needs script(1) of util-linux to make a terminal");

        var result = await SampleProcess.RunOnTerminalAsync("NamespaceTour");

        result.ExitCode.Should().Be(0);
        result.Lines.Select(SampleProcess.Visible).Where(line => line.Length > 0 && "╭│├╰".Contains(line[0])).Should()
            .HaveCountGreaterThan(40).And.OnlyContain(line => line.Length == 80);
    }

    private string Stop(string name) =>
        run.Result.Output.Split("\n\n").Single(stop => stop.StartsWith(name + ": ", StringComparison.Ordinal));

    [GeneratedRegex(@"(?m)^number of the namespace +(?<inside>\d+) +(?<outside>\d+)$")]
    private static partial Regex NamespaceNumbers();
}
