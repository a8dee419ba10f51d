using System.Globalization;
using System.Text.RegularExpressions;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Samples;

public partial class PidViewTests(PidViewRun run) : IClassFixture<PidViewRun>
{
    [Fact]
    public void It_shows_one_process_with_two_numbers()
    {
        var result = run.Result;

        result.Error.Should().BeEmpty();
        result.ExitCode.Should().Be(0);
        result.Lines[0].Should().Contain("Starting a shell in", because: "the first line says what will happen");
        var row = ProcessIdRow().Match(result.Output);
        row.Success.Should().BeTrue(because: "inside, the shell is process 1; the output was {0}", result.Output);
        var outside = row.Groups["outside"].Value;
        int.Parse(outside, CultureInfo.InvariantCulture).Should().BeGreaterThan(1);
        result.Output.Should().MatchRegex($@"(?m)^    NSpid:  (\d+  )*{outside}  1$");
        result.Output.Should().MatchRegex(@"(?m)^processes +1 sh, 2 sleep +\d+ sh, \d+ sleep$", because: "only the shell and its child are seen inside");
        result.Output.Should().MatchRegex(@"(?m)^host name +sandbox +(?!sandbox)\S");
        result.Output.Should().MatchRegex(@"(?m)^files in /tmp +0 ");
        result.Output.Should().MatchRegex(@"(?m)^network +lo +\S");
    }

    [Fact]
    public void It_shows_that_no_namespace_is_the_hosts()
    {
        var result = run.Result;

        var kernelHas = Directory.GetFiles("/proc/self/ns").Select(Path.GetFileName).Count(name => !name!.EndsWith("_for_children", StringComparison.Ordinal));
        var rows = NamespaceRow().Matches(result.Output);
        rows.Should().HaveCount(kernelHas);
        rows.Should().OnlyContain(row => row.Groups["inside"].Value != row.Groups["outside"].Value);
    }

    [Fact]
    public void It_shows_three_sandboxes_that_see_themselves_only_and_a_host_that_sees_all()
    {
        var result = run.Result;

        foreach (var name in new[] { "red", "green", "blue" })
        {
            result.Output.Should().Contain($"{name}\n  PID  PROGRAM\n    1  sh\n    2  sleep\n");
            result.Output.Should().MatchRegex($@"(?m)^{name} +1 +\d+ +sh\n{name} +2 +\d+ +sleep$");
        }

        SandboxRow().Matches(result.Output).Select(row => row.Groups["outside"].Value).Should().HaveCount(6).And.OnlyHaveUniqueItems();
        result.Lines.Should().Contain("Disposed: of these 6 processes the host sees 0 now.");
    }

    [Fact(Timeout = 120_000)]
    public async Task On_a_terminal_it_draws_coloured_boxes_80_columns_wide()
    {
        Assert.SkipUnless(SampleProcess.HasScript, "needs script(1) of util-linux to make a terminal");

        var result = await SampleProcess.RunOnTerminalAsync("PidView");

        result.ExitCode.Should().Be(0);
        result.Output.Should().Contain("╭").And.Contain("\e[36m");
        var lines = result.Lines.Select(SampleProcess.Visible).ToList();
        lines.Should().OnlyContain(line => line.Length <= 80);
        lines.Where(line => line.Length > 0 && "╭│├╰".Contains(line[0])).Should().OnlyContain(line => line.Length == 80, because: "the boxes line up");
    }

    [Fact(Timeout = 120_000)]
    public async Task NO_COLOR_makes_it_write_plain_text_on_a_terminal()
    {
        Assert.SkipUnless(SampleProcess.HasScript, "needs script(1) of util-linux to make a terminal");

        var result = await SampleProcess.RunOnTerminalAsync("PidView", noColor: true);

        result.ExitCode.Should().Be(0);
        result.Output.Should().NotContain("╭").And.NotMatchRegex(@"\e\[[0-9;]*m");
        SampleProcess.Visible(result.Output).ReplaceLineEndings("\n").Should().MatchRegex(ProcessIdRow().ToString());
    }

    [Fact(Timeout = 120_000)]
    public async Task It_opens_a_shell_that_is_process_1_and_reads_from_the_standard_input()
    {
        var result = await SampleProcess.RunAsync("PidView", ["--shell"], "echo process $$ on $(uname -n)\n");

        result.Error.Should().BeEmpty();
        result.ExitCode.Should().Be(0);
        result.Lines.Should().Contain("process 1 on sandbox");
    }

    [Fact(Timeout = 120_000)]
    public async Task On_a_terminal_the_shell_has_one_of_its_own()
    {
        await using var terminal = await TmuxSession.StartAsync($"'{Path.Combine(AppContext.BaseDirectory, "PidView")}' --shell; echo code $?; cat");
        await terminal.UntilLast("sandbox:/#");
        await terminal.Keys("clear; tty; sleep 1000003", "Enter");
        await HostView.UntilForeground("1000003");
        await terminal.Until("it is a terminal", static lines => lines.Contains("/dev/pts/0"));
        await terminal.Keys("C-c");
        await terminal.UntilLast("sandbox:/#");
        await terminal.Keys("C-d");
        await terminal.UntilLast("code 0");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("--nonsense")]
    [InlineData("--shell", "more")]
    public async Task Bad_usage_is_exit_code_2(params string[] arguments)
    {
        var result = await SampleProcess.RunAsync("PidView", arguments);

        result.ExitCode.Should().Be(2);
        result.Output.Should().BeEmpty();
        result.Error.Should().Contain("Usage: PidView");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("PidView")]
    [InlineData("PidView", "--shell")]
    [InlineData("NamespaceTour", "uts")]
    [InlineData("Pod")]
    public async Task A_sandbox_that_cannot_be_set_up_is_exit_code_1_with_the_reason(string sample, params string[] arguments)
    {
        Assert.SkipUnless(SampleProcess.HasUnshare, "needs unshare(1) of util-linux");

        // In a user namespace without a map nobody may make another one: user_namespaces(7).
        var result = await SampleProcess.RunAsync(sample, arguments, "", "unshare", "--user");

        result.ExitCode.Should().Be(1);
        result.Error.Should().StartWith("Could not create the sandbox's first process").And.Contain("EPERM").And.Contain("not mapped", because: "that is the hint");
        result.Error.Should().NotContain("   at ", because: "a stack trace is no message for users");
    }

    [GeneratedRegex(@"(?m)^process id +1 +(?<outside>\d+)$")]
    private static partial Regex ProcessIdRow();

    [GeneratedRegex(@"(?m)^(pid|mount|uts|ipc|network|user|cgroup|time) +(?<inside>\d{4,}) +(?<outside>\d{4,})$")]
    private static partial Regex NamespaceRow();

    [GeneratedRegex(@"(?m)^(red|green|blue) +[12] +(?<outside>\d+) +\S+$")]
    private static partial Regex SandboxRow();
}
