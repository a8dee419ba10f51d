using System.Text.Json;
using System.Text.Json.Serialization;

namespace Isolation.Delegates;

/// <summary>What the app asks of the process that it has started for a method.</summary>
/// <param name="Method">The method.</param>
/// <param name="IsAsync">It returns a task of the result.</param>
/// <param name="ArgumentType">What the argument is read as.</param>
/// <param name="ResultType">What the result is written as.</param>
/// <param name="ArgumentContext">The JsonSerializerContext that knows the argument's type, or null: reflection.</param>
/// <param name="ResultContext">Likewise.</param>
/// <param name="Argument">The argument.</param>
internal sealed record TaskRequest(
    MethodReference Method, bool IsAsync, string ArgumentType, string ResultType, string? ArgumentContext, string? ResultContext, JsonElement Argument);

/// <summary>What it answers: one of both.</summary>
internal sealed record TaskResponse(JsonElement? Result, RemoteError? Error);

/// <summary>An exception and those below it.</summary>
internal sealed record RemoteError(string Type, string Message, string? StackTrace, RemoteError? Inner)
{
    internal static RemoteError Of(Exception exception) => new(
        exception.GetType().FullName ?? exception.GetType().Name, exception.Message, exception.StackTrace, exception.InnerException is { } inner ? Of(inner) : null);

    internal IsolatedTaskException ToException() => new(Message, Type, StackTrace, Inner?.ToException());
}

[JsonSerializable(typeof(TaskRequest))]
[JsonSerializable(typeof(TaskResponse))]
internal sealed partial class TaskMessages : JsonSerializerContext;
