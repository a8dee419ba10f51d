using System.Text.RegularExpressions;
using FluentAssertions;
using Xunit;

namespace Isolation.Tests.Samples;

public partial class PodTests(PodRun run) : IClassFixture<PodRun>
{
    [Fact]
    public void Two_programs_reach_each_other_where_the_host_does_not()
    {
        var result = run.Result;

        result.Error.Should().BeEmpty();
        result.ExitCode.Should().Be(0);
        result.Lines[0].Should().StartWith("Starting a holder of namespaces", because: "the first line says what will happen");
        result.Lines.Should().Contain("Hello from process 1 of shop-pod.");
        result.Output.Should().MatchRegex("(?m)^From the host the same address is (refused|another program's): the host has a loopback of its own.$");
        result.Output.Should().MatchRegex("(?m)^host name +shop-pod +shop-pod$");
        result.Output.Should().MatchRegex("(?m)^/tmp/web.log +there +not there$", because: "each has files of its own");
        result.Output.Should().MatchRegex("(?m)^sees +1 Pod +1 Pod$", because: "each sees itself only");
    }

    [Fact]
    public void They_share_what_they_joined_and_have_the_rest_for_themselves()
    {
        var rows = NamespaceRow().Matches(run.Result.Output).ToDictionary(static row => row.Groups["kind"].Value);

        foreach (var shared in (string[])["network", "ipc", "uts", "user"])
        {
            var groups = rows[shared].Groups;
            new[] { groups["web"].Value, groups["visitor"].Value }.Should().OnlyContain(number => number == groups["pause"].Value);
            groups["pause"].Value.Should().NotBe(groups["host"].Value);
            groups["whose"].Value.Should().Be("the pod's");
        }

        foreach (var own in (string[])["pid", "mount"])
        {
            var groups = rows[own].Groups;
            new[] { groups["pause"].Value, groups["web"].Value, groups["visitor"].Value, groups["host"].Value }.Should().OnlyHaveUniqueItems();
            groups["whose"].Value.Should().Be("its own");
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task With_shared_processes_they_see_each_other_and_the_holder()
    {
        var result = await SampleProcess.RunAsync("Pod", "--share-processes");

        result.Error.Should().BeEmpty();
        result.ExitCode.Should().Be(0);
        var seen = SeenRow().Match(result.Output).Groups;
        seen["web"].Value.Should().Be(seen["visitor"].Value).And.MatchRegex(@"^1 sleep, \d+ Pod, \d+ Pod$");
        result.Output.Should().MatchRegex("(?m)^/tmp/web.log +there +not there$");
        var pid = NamespaceRow().Matches(result.Output).Single(static row => row.Groups["kind"].Value == "pid").Groups;
        pid["whose"].Value.Should().Be("the pod's");
        pid["web"].Value.Should().Be(pid["pause"].Value).And.Be(pid["visitor"].Value).And.NotBe(pid["host"].Value);
    }

    [Fact(Timeout = 120_000)]
    public async Task On_a_terminal_it_draws_coloured_boxes_80_columns_wide()
    {
        Assert.SkipUnless(SampleProcess.HasScript, "needs script(1) of util-linux to make a terminal");

        var result = await SampleProcess.RunOnTerminalAsync("Pod");

        result.ExitCode.Should().Be(0);
        result.Output.Should().Contain("╭").And.Contain("\e[36m");
        var lines = result.Lines.Select(SampleProcess.Visible).ToList();
        lines.Where(line => line.Length > 0 && "╭│├╰".Contains(line[0])).Should().NotBeEmpty().And.OnlyContain(line => line.Length == 80, because: "the boxes line up");
    }

    [Fact(Timeout = 120_000)]
    public async Task Bad_usage_is_exit_code_2()
    {
        var result = await SampleProcess.RunAsync("Pod", "--nonsense");

        result.ExitCode.Should().Be(2);
        result.Output.Should().BeEmpty();
        result.Error.Should().Contain("Usage: Pod");
    }

    [GeneratedRegex(@"(?m)^(?<kind>pid|mount|uts|ipc|network|user|cgroup|time) +(?<pause>\d{4,}) +(?<web>\d{4,}) +(?<visitor>\d{4,}) +(?<host>\d{4,}) +(?<whose>.+)$")]
    private static partial Regex NamespaceRow();

    [GeneratedRegex(@"(?m)^sees +(?<web>1 .*\S)  +(?<visitor>1 .*)$")]
    private static partial Regex SeenRow();
}
