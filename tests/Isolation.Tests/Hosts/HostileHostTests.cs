using System.Globalization;
using FluentAssertions;
using Xunit;

namespace Isolation.Tests.Hosts;

/// <summary>Apps in odd circumstances. Each runs the same set of starts, "basics", and says so when all went well.</summary>
public class HostileHostTests
{
    private const int Patience = 300_000;

    [Fact(Timeout = Patience)]
    public async Task An_ordinary_app_starts_programs() => (await HostApp.RunAsync(TestContext.Current.CancellationToken, "basics")).Should().Be("fine\n");

    [Theory(Timeout = Patience)]
    [InlineData("first", "expect-process-1", "process-first", "basics")]
    [InlineData("first", "start-first", "process-first", "mixed", "20")]
    [InlineData("init", "basics")]
    [InlineData("foreign-proc", "expect-foreign-proc", "basics")]
    public async Task An_app_that_is_in_a_container_or_even_its_process_1_starts_programs(string kind, params string[] arguments) =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, ["contained", kind, .. arguments])).Should().Be("fine\n");

    [Theory(Timeout = Patience)]
    [InlineData("first")]
    [InlineData("foreign-proc")]
    public async Task An_app_in_a_container_that_an_ordinary_user_has_made_starts_programs(string kind) =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, [.. HostApp.Ordinary, "contained", kind, "basics"]))
            .Should().Be("fine\n");

    [Fact(Timeout = Patience)]
    public async Task An_app_that_was_started_with_SIGCHLD_ignored_gets_every_exit_code() =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "ignoring-sigchld", "expect-ignored", "17", "process-first", "basics"))
            .Should().Be("fine\n");

    [Fact(Timeout = Patience)]
    public async Task An_app_that_comes_to_ignore_SIGCHLD_gets_every_exit_code() =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "start-first", "ignoring", "17", "basics")).Should().Be("fine\n");

    [Fact(Timeout = Patience)]
    public async Task An_app_may_use_Process_before_and_after_a_first_start() =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "process-first", "start-first", "process-first", "basics")).Should().Be("fine\n");

    [Fact(Timeout = Patience)]
    public async Task Process_and_sandboxes_started_at_once_get_their_own_exit_codes() =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "mixed", "100")).Should().Be("fine\n");

    [Fact(Timeout = Patience)]
    public async Task Sixteen_threads_start_at_once_while_the_garbage_collector_never_rests() =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "pressure", "16", "10")).Should().EndWith("fine\n");

    [Fact(Timeout = Patience)]
    public async Task An_app_with_a_heap_of_a_gigabyte_starts_programs() =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "big-heap", "1024")).Should().Be("fine\n");

    [Theory(Timeout = Patience)]
    [InlineData("0<&-", "0")]
    [InlineData("1>&-", "1")]
    [InlineData("0<&- 1>&- 2>&-", "0,1,2")]
    public async Task An_app_whose_standard_streams_are_closed_starts_programs(string closing, string closed)
    {
        var report = Path.GetTempFileName();
        try
        {
            await HostApp.RunBelowShellAsync($"exec {closing}", TestContext.Current.CancellationToken, "expect-closed", closed, "basics", report);
            (await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken)).Should().Be("fine\n");
        }
        finally
        {
            File.Delete(report);
        }
    }

    [Theory(Timeout = Patience)]
    [InlineData("cold")]
    [InlineData("warm")]
    public async Task An_app_that_is_nearly_out_of_descriptors_starts_programs_or_is_told_why_not(string first) =>
        (await HostApp.RunBelowShellAsync("ulimit -n 256", TestContext.Current.CancellationToken, "few-descriptors", first)).Should().EndWith("fine\n");

    [Fact(Timeout = Patience)]
    public async Task An_app_below_a_seccomp_filter_that_hides_clone3_starts_programs() =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "without-clone3", "basics")).Should().Be("fine\n");

    [Fact(Timeout = Patience)]
    public async Task An_app_from_which_clone3_is_hidden_later_goes_on_starting_programs() =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "start-first", "without-clone3", "basics")).Should().Be("fine\n");

    [Theory(Timeout = Patience)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_app_that_gave_up_root_starts_programs_as_its_new_user(bool afterFirstStart)
    {
        Assert.SkipUnless(HostApp.IsRoot, "Only root can give up root.");
        string[] before = afterFirstStart ? ["start-first"] : [];
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, [.. before, "as-user", "1234", "basics"])).Should().Be("fine\n");
    }

    [Fact(Timeout = Patience)]
    public async Task An_app_with_an_odd_umask_and_a_deleted_working_directory_does_not_pass_them_on()
    {
        var directory = Directory.CreateTempSubdirectory("isolation-").FullName;
        var output = await HostApp.RunBelowShellAsync($"umask 077; cd {directory}; rmdir {directory}", TestContext.Current.CancellationToken, "basics");
        output.Should().Be("fine\n");
    }

    [Fact(Timeout = Patience)]
    public async Task An_app_started_under_nohup_does_not_pass_on_that_SIGHUP_is_ignored() =>
        (await HostApp.RunBelowShellAsync("trap '' HUP USR1 TSTP", TestContext.Current.CancellationToken,
            "expect-ignored", "1", "expect-ignored", "10", "expect-ignored", "20", "basics"))
            .Should().Be("fine\n");

    [Fact(Timeout = Patience)]
    public async Task An_app_that_comes_to_ignore_signals_does_not_pass_that_on()
    {
        string[] first = ["start-first"];
        // All that can be ignored, but for those that the runtime needs.
        var ignoring = Enumerable.Range(1, 31).Except([4, 5, 6, 7, 8, 9, 11, 17, 19]).SelectMany(static n => (string[])["ignoring", $"{n}"]);
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, [.. first, .. ignoring, "basics"])).Should().Be("fine\n");
    }

    [Fact(Timeout = Patience)]
    public async Task Many_sandboxes_whose_output_is_read_take_no_more_threads_than_one() =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "live", Number("ISOLATION_TEST_LIVE", 200))).Should().EndWith("fine\n");

    [Fact(Timeout = Patience)]
    public async Task Many_terminals_that_are_closed_in_any_order_leave_nothing_behind() =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "terminals", Number("ISOLATION_TEST_TERMINALS", 50))).Should().EndWith("fine\n");

    [Fact(Timeout = 4 * Patience)]
    public async Task Thousands_of_starts_leave_nothing_behind()
    {
        var output = await HostApp.RunAsync(TestContext.Current.CancellationToken,
            "leaks", Number("ISOLATION_TEST_ROW", 2000), "16", Number("ISOLATION_TEST_EACH", 100));
        TestContext.Current.TestOutputHelper?.WriteLine(output);
    }

    /// <summary>Larger runs by hand: the environment may ask for more.</summary>
    private static string Number(string name, int usual) => Environment.GetEnvironmentVariable(name) ?? usual.ToString(CultureInfo.InvariantCulture);
}
