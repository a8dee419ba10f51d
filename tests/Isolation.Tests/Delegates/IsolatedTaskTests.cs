using System.Diagnostics;
using System.Text.Json.Serialization;
using FluentAssertions;
using Isolation.Tests.Hosts;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Delegates;

/// <summary>Methods of this very test app, each run in a process of its own.</summary>
public partial class IsolatedTaskTests
{
    private const int Patience = 120_000;

    private static int s_count;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal sealed record Question(string Text, int[] Numbers);

    internal sealed record Answer(string Text, long Sum, int ProcessId, string Host, bool Reached);

    [JsonSerializable(typeof(Question))]
    [JsonSerializable(typeof(Answer))]
    internal sealed partial class Context : JsonSerializerContext;

    internal static Answer Calculate(Question question) => new(
        question.Text.ToUpperInvariant(), question.Numbers.Sum(static n => (long)n), Environment.ProcessId, Environment.MachineName, Directory.Exists("/sys/class/net/lo"));

    internal static async Task<Answer> CalculateAsync(Question question)
    {
        await Task.Delay(1);
        return Calculate(question);
    }

    [Fact(Timeout = Patience)]
    public async Task A_method_runs_in_a_sandbox_of_its_own()
    {
        s_count = 5;
        var answer = await IsolatedTask.RunAsync(Calculate, new Question("hello ä", [1, 2, 3]), static options => options.HostName = "box", cancellationToken: Token);
        answer.Should().BeEquivalentTo(new { Text = "HELLO Ä", Sum = 6, ProcessId = 1, Host = "box" });
        (await IsolatedTask.RunAsync(static (int n) => s_count + n, 7, cancellationToken: Token)).Should().Be(7, "static fields are its own");
    }

    [Theory(Timeout = Patience)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_may_be_asynchronous_and_its_types_be_known_from_a_source_generator(bool generated)
    {
        var question = new Question("x", [1_000_000_000, 2_000_000_000]);
        var answer = generated
            ? await IsolatedTask.RunAsync(CalculateAsync, question, Context.Default.Question, Context.Default.Answer, cancellationToken: Token)
            : await IsolatedTask.RunAsync(CalculateAsync, question, cancellationToken: Token);
        answer.Text.Should().Be("X");
        answer.Sum.Should().Be(3_000_000_000);
    }

    private static string Describe<T>(T value) => $"{typeof(T).Name} {value}";

    private static class Holder<T>
    {
        internal static string Describe(T value) => $"{typeof(T).Name} of a holder {value}";
    }

    [Fact(Timeout = Patience)]
    public async Task Generic_methods_methods_of_generic_types_and_lambdas_that_capture_nothing_are_possible()
    {
        (await IsolatedTask.RunAsync(Describe<int>, 3, cancellationToken: Token)).Should().Be("Int32 3");
        (await IsolatedTask.RunAsync(Holder<string>.Describe, "x", cancellationToken: Token)).Should().Be("String of a holder x");
        (await IsolatedTask.RunAsync(static async (string? text) =>
        {
            await Task.Yield();
            return text is null ? null : text + "!";
        }, null, cancellationToken: Token)).Should().BeNull();
    }

    private int Own(int n) => n + s_count;

    [Fact]
    public async Task What_belongs_to_an_object_is_refused()
    {
        var captured = s_count;
        var lambda = () => IsolatedTask.RunAsync((int n) => n + captured, 1, cancellationToken: Token);
        (await lambda.Should().ThrowAsync<ArgumentException>()).WithMessage("*captures*");
        var instance = () => IsolatedTask.RunAsync<int, int>(Own, 1, cancellationToken: Token);
        await instance.Should().ThrowAsync<ArgumentException>();
        Func<int, int> two = static n => n;
        two += static n => n;
        var multicast = () => IsolatedTask.RunAsync(two, 1, cancellationToken: Token);
        await multicast.Should().ThrowAsync<ArgumentException>();
        var piped = () => IsolatedTask.RunAsync(static (int n) => n, 1, static options => options.StandardOutput = StandardStream.Pipe, cancellationToken: Token);
        (await piped.Should().ThrowAsync<ArgumentException>()).WithMessage("*pipe*");
        var negative = () => IsolatedTask.RunAsync(static (int n) => n, 1, timeout: TimeSpan.FromSeconds(-3), cancellationToken: Token);
        await negative.Should().ThrowAsync<ArgumentOutOfRangeException>();
    }

    private static int Fail(int n)
    {
        try
        {
            throw new FormatException("inside");
        }
        catch (FormatException e)
        {
            throw new InvalidOperationException($"failed with {n}", e);
        }
    }

    [Fact(Timeout = Patience)]
    public async Task An_exception_comes_back_with_its_type_message_and_stack()
    {
        var run = () => IsolatedTask.RunAsync(Fail, 4, cancellationToken: Token);
        var failure = (await run.Should().ThrowAsync<IsolatedTaskException>()).Which;
        failure.RemoteTypeName.Should().Be("System.InvalidOperationException");
        failure.Message.Should().Be("failed with 4");
        failure.RemoteStackTrace.Should().Contain(nameof(Fail));
        failure.ExitStatus.Should().BeNull();
        failure.InnerException.Should().BeOfType<IsolatedTaskException>().Which.RemoteTypeName.Should().Be("System.FormatException");
        failure.ToString().Should().Contain(nameof(Fail)).And.Contain("System.FormatException");

        var asynchronous = () => IsolatedTask.RunAsync(static async (int n) =>
        {
            await Task.Yield();
            return n / (n - n);
        }, 4, cancellationToken: Token);
        (await asynchronous.Should().ThrowAsync<IsolatedTaskException>()).Which.RemoteTypeName.Should().Be("System.DivideByZeroException");
    }

    [Fact(Timeout = Patience)]
    public async Task An_end_without_a_word_is_told_with_how_it_ended()
    {
        var exit = () => IsolatedTask.RunAsync(static (int code) =>
        {
            Environment.Exit(code);
            return 0;
        }, 9, cancellationToken: Token);
        var failure = (await exit.Should().ThrowAsync<IsolatedTaskException>()).Which;
        failure.ExitStatus!.Value.ExitCode.Should().Be(9);
        failure.RemoteTypeName.Should().BeNull();
    }

    private static int Sleep(int milliseconds)
    {
        Thread.Sleep(milliseconds);
        return milliseconds;
    }

    [Fact(Timeout = Patience)]
    public async Task Time_limit_and_cancellation_kill()
    {
        var limited = () => IsolatedTask.RunAsync(Sleep, 1_000_000, timeout: TimeSpan.FromMilliseconds(300), cancellationToken: Token);
        await limited.Should().ThrowAsync<TimeoutException>();
        using var cancellation = new CancellationTokenSource();
        var run = IsolatedTask.RunAsync(Sleep, 1_000_000, cancellationToken: cancellation.Token);
        cancellation.CancelAfter(300);
        var canceled = () => run;
        await canceled.Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact(Timeout = Patience)]
    public async Task It_is_isolated_and_its_children_are_ordinary_programs()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("precious", "as it was");
        Environment.SetEnvironmentVariable("ISOLATION_TEST_SECRET", "secret");
        var seen = await IsolatedTask.RunAsync(static (string path) =>
        {
            using var child = Process.Start(new ProcessStartInfo("env") { RedirectStandardOutput = true })!;
            var environment = child.StandardOutput.ReadToEnd();
            try
            {
                File.WriteAllText(path, "changed");
                return environment + "wrote";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return environment + File.Exists(path);
            }
        }, path, cancellationToken: Token);

        seen.Should().EndWith("False").And.Contain("LANG=C.UTF-8")
            .And.NotContain("secret").And.NotContain("STARTUP_HOOKS").And.NotContain("ISOLATION_TASK");
        (await File.ReadAllTextAsync(path, Token)).Should().Be("as it was");
    }

    [Fact(Timeout = Patience)]
    public async Task Much_goes_both_ways_and_standard_output_is_the_methods()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("output");
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write))
        {
            var text = await IsolatedTask.RunAsync(static (string text) =>
            {
                Console.WriteLine("from the method");
                return text + text;
            }, new string('x', 3_000_000), options => options.StandardOutput = StandardStream.FromHandle(file), cancellationToken: Token);
            text.Should().HaveLength(6_000_000);
        }

        (await File.ReadAllTextAsync(path, Token)).Should().Be("from the method\n");
    }

    [Fact(Timeout = Patience)]
    public async Task A_sandbox_that_cannot_be_set_up_is_told_as_such()
    {
        var run = () => IsolatedTask.RunAsync(static (int n) => n, 1, static options => options.WorkingDirectory = "/nowhere", cancellationToken: Token);
        (await run.Should().ThrowAsync<IsolationException>()).Which.Step.Should().Be("enter the working directory");
    }

    [Fact(Timeout = Patience)]
    public async Task It_works_for_an_app_that_is_run_by_the_dotnet_host_or_lies_where_the_sandbox_has_a_folder_of_its_own()
    {
        (await HostApp.RunAsync(Token, "task", "expect-arguments-are-not-passed-on")).Should().Be("fine\n");

        // Published anywhere below /tmp it would not be seen.
        using var folder = new TemporaryFolder();
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory, "*.dll").Concat(Directory.GetFiles(AppContext.BaseDirectory, "*.json")))
            File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)));
        var command = HostApp.Command.Select(part => part.Replace(AppContext.BaseDirectory, folder.Path + "/", StringComparison.Ordinal)).ToArray();
        Assert.SkipWhen(command.Length == 1, "There is no dotnet host.");
        (await HostApp.ExpectFineAsync([.. command, "task"], Token)).Should().Be("fine\n");
    }
}
