using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using Isolation;

/// <summary>A method of the app in a sandbox, as far as the form in which the app is published allows; else it is told why not.</summary>
internal static partial class TaskCheck
{
    internal sealed record Question(int Number);

    internal sealed record Answer(int Number, int ProcessId);

    [JsonSerializable(typeof(Question))]
    [JsonSerializable(typeof(Answer))]
    internal sealed partial class Context : JsonSerializerContext;

    internal static async Task RunAsync()
    {
        var hasHooks = !AppContext.TryGetSwitch("System.StartupHookProvider.IsSupported", out var isSupported) || isSupported;
        try
        {
            var answer = await IsolatedTask.RunAsync(static question => new Answer(2 * question.Number, Environment.ProcessId), new Question(21), Context.Default.Question, Context.Default.Answer);
            Expectation.Check(new Answer(42, 1), answer);
            Expectation.Check(true, RuntimeFeature.IsDynamicCodeSupported && hasHooks);
            answer = await IsolatedTask.RunAsync(SlowlyAsync, new Question(4), Context.Default.Question, Context.Default.Answer);
            Expectation.Check(new Answer(5, 1), answer);
        }
        catch (PlatformNotSupportedException)
        {
            Expectation.Check(false, RuntimeFeature.IsDynamicCodeSupported);
        }
        catch (InvalidOperationException e)
        {
            // Trimmed, and without asking for what trimming takes away.
            Expectation.Check(false, hasHooks);
            Expectation.Check(true, e.Message.Contains("<StartupHookSupport>", StringComparison.Ordinal));
        }
    }

    private static async Task<Answer> SlowlyAsync(Question question)
    {
        await Task.Delay(1);
        return new Answer(question.Number + 1, Environment.ProcessId);
    }
}
