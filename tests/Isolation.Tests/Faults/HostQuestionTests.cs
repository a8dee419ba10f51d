using FluentAssertions;
using Isolation.Interop;
using Isolation.Launching;
using Isolation.Planning;
using Isolation.Supervision;
using Xunit;

namespace Isolation.Tests.Faults;

/// <summary>The stage can stop on its way, ask the host, and go on with the answer.</summary>
public class HostQuestionTests
{
    private const byte Register = 150;

    public static TheoryData<bool, bool> Ways => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Ways))]
    public async Task The_stage_goes_on_with_the_answers(bool isAsync, bool useInit)
    {
        var asked = new List<string>();
        var first = new Question(stage =>
        {
            asked.Add(File.ReadAllText($"/proc/{stage.ProcessId}/comm").Trim());
            stage.Register(Register) = 0x40;
        });
        var second = new Question(stage =>
        {
            asked.Add("second");
            stage.Register(Register) |= 0x7;
        });
        var child = await LaunchAsync(isAsync, useInit, first, second);
        using var reader = new StreamReader(child.Output!);
        var text = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.Exit;

        text.Should().Be("0107\n");
        asked.Should().HaveCount(2).And.EndWith("second");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Ways))]
    public async Task An_answer_that_throws_ends_the_start(bool isAsync, bool useInit)
    {
        var pid = 0;
        var start = () => LaunchAsync(isAsync, useInit, new Question(stage =>
        {
            pid = stage.ProcessId;
            throw new IsolationException("no answer", null, 0, null, null);
        }));

        (await start.Should().ThrowAsync<IsolationException>()).WithMessage("*no answer*");
        pid.Should().BePositive();
        Directory.Exists($"/proc/{pid}").Should().BeFalse("the child is gone");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Ways))]
    public async Task A_stage_that_fails_before_it_asks_is_reported_as_ever(bool isAsync, bool useInit)
    {
        var start = () => LaunchAsync(isAsync, useInit, plan =>
        {
            Ask(plan, "set the umask", new Question(_ => throw new InvalidOperationException("was asked")));
            Step(plan, "clear the umask for the set-up") = LaunchPlan.Fail("clear the umask for the set-up", null, Errno.EDOM);
        });

        (await start.Should().ThrowAsync<IsolationException>()).Which.Errno.Should().Be((int)Errno.EDOM);
    }

    private static Task<ChildProcess> LaunchAsync(bool isAsync, bool useInit, params Question[] questions) => LaunchAsync(isAsync, useInit, plan =>
    {
        // In place of two steps that nothing here depends on.
        string[] replaced = ["clear the umask for the set-up", "enter the working directory"];
        for (var i = 0; i < questions.Length; i++) Ask(plan, replaced[i], questions[i]);
        ref var last = ref Step(plan, "set the umask");
        last.Values[0] = Register;
        last.Kinds[0] = ArgumentKind.Register;
    });

    private static async Task<ChildProcess> LaunchAsync(bool isAsync, bool useInit, Action<LaunchPlan> change)
    {
        var options = new IsolationOptions("sh", "-c", "umask") { UseInit = useInit, StandardOutput = StandardStream.Pipe };
        var hooks = new LaunchHooks(change);
        return isAsync
            ? await IsolatedProcess.LaunchAsync(options, default, TestContext.Current.CancellationToken, hooks)
            : IsolatedProcess.Launch(options, default, hooks);
    }

    private static void Ask(LaunchPlan plan, string label, Question question)
    {
        plan.Questions.Add(question);
        Step(plan, label) = LaunchPlan.Make(StepKind.AskHost, 0, label, null, plan.Questions.Count, Argument.Handle(PlanHandle.Status));
    }

    private static ref Step Step(LaunchPlan plan, string label)
    {
        var steps = plan.Steps;
        for (var i = 0; i < steps.Length; i++)
            if (steps[i].Label == label) return ref steps[i];
        throw new InvalidOperationException(label);
    }

    private sealed class Question(Action<IWaitingStage> answer) : HostQuestion
    {
        internal override void Answer(IWaitingStage stage) => answer(stage);
    }
}
