using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Isolation.Interop;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Delegates;

/// <summary>The other side: in the process that was started for a method, before its Main, which never comes to run.</summary>
internal static class TaskServer
{
    internal static void RunIfAsked()
    {
        if (Environment.GetEnvironmentVariable(TaskRunner.Variable) is not { } descriptors) return;
        // Not for the children of the method.
        Environment.SetEnvironmentVariable(TaskRunner.Variable, null);
        Environment.SetEnvironmentVariable("DOTNET_STARTUP_HOOKS", null);
        var numbers = descriptors.Split(',');
        using var input = Open(numbers[0]);
        using var output = Open(numbers[1]);
        Serve(input, output);
        Environment.Exit(0);
    }

    private static void Serve(SafeFileHandle input, SafeFileHandle output)
    {
        TaskResponse response;
        try
        {
            using var reader = new FileStream(input, FileAccess.Read, bufferSize: 0);
            var request = JsonSerializer.Deserialize(reader, TaskMessages.Default.TaskRequest)!;
            response = new TaskResponse(Run(request), null);
        }
        catch (Exception e)
        {
            response = new TaskResponse(null, RemoteError.Of(e));
        }

        using var writer = new FileStream(output, FileAccess.Write, bufferSize: 0);
        writer.Write(JsonSerializer.SerializeToUtf8Bytes(response, TaskMessages.Default.TaskResponse));
    }

    private static JsonElement Run(TaskRequest request)
    {
        var argument = request.Argument.Deserialize(Info(request.ArgumentType, request.ArgumentContext));
        var result = request.Method.Invoke(argument);
        if (request.IsAsync)
        {
            var task = (Task)(result ?? throw new InvalidOperationException("The method has returned no task."));
            task.GetAwaiter().GetResult();
            result = ResultOf(task);
        }

        return JsonSerializer.SerializeToElement(result, Info(request.ResultType, request.ResultContext));
    }

    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "Task<T>.Result is there wherever an asynchronous method's result is used.")]
    private static object? ResultOf(Task task) => task.GetType().GetProperty(nameof(Task<>.Result))!.GetValue(task);

    /// <summary>The same as the app has used on the other side.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Without a context the app has called what is marked as needing reflection itself.")]
    [UnconditionalSuppressMessage("Trimming", "IL2057", Justification = "The app has used the type and its context.")]
    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = "Likewise.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "It runs only where there is a runtime that can be told to.")]
    private static JsonTypeInfo Info(string type, string? context)
    {
        var found = Type.GetType(type, throwOnError: true)!;
        if (context is null) return JsonSerializerOptions.Default.GetTypeInfo(found);
        var contextType = Type.GetType(context, throwOnError: true)!;
        const BindingFlags flags = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        var known = (JsonSerializerContext)(contextType.GetProperty("Default", flags)?.GetValue(null) ?? contextType.GetMethod("get_Default", flags)?.Invoke(null, null)
            ?? Activator.CreateInstance(contextType, nonPublic: true)!);
        return known.GetTypeInfo(found) ?? throw new InvalidOperationException($"{contextType} does not know {found}.");
    }

    private static SafeFileHandle Open(string number)
    {
        var descriptor = int.Parse(number, CultureInfo.InvariantCulture);
        _ = Kernel.fcntl(descriptor, Linux.F_SETFD, Linux.FD_CLOEXEC); // not for the children of the method either
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }
}
