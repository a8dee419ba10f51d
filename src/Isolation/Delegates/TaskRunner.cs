using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using CommunityToolkit.HighPerformance.Buffers;
using Isolation.Interop;
using Isolation.Launching;
using Isolation.Supervision;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Delegates;

/// <summary>The app's side: starts the app again, sends the request, waits for the answer.</summary>
internal static class TaskRunner
{
    /// <summary>The two descriptors, "IN,OUT", in the environment of the process that is to run a method.</summary>
    internal const string Variable = "ISOLATION_TASK";

    /// <summary>No answer is longer: it comes from code that is not to be trusted.</summary>
    private const int MaxAnswer = 256 << 20;

    private const int Chunk = 64 * 1024;

    [DynamicDependency(nameof(StartupHook.Initialize), typeof(StartupHook))]
    internal static async Task<TResult> RunAsync<TArgument, TResult>(Delegate method, TArgument argument, JsonTypeInfo<TArgument> argumentInfo, JsonTypeInfo<TResult> resultInfo,
        bool isAsync, Action<IsolationOptions>? configure, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(argumentInfo);
        ArgumentNullException.ThrowIfNull(resultInfo);
        if (timeout is { } time && time < TimeSpan.Zero && time != Timeout.InfiniteTimeSpan)
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "A timeout must not be negative; null waits without end.");
        Platform.ThrowIfUnsupported();
        var command = AppCommand.Current;
        var request = new TaskRequest(MethodReference.Of(method), isAsync, Name<TArgument>(), Name<TResult>(), Context(argumentInfo), Context(resultInfo),
            JsonSerializer.SerializeToElement(argument, argumentInfo));
        var options = command.CreateOptions();
        configure?.Invoke(options);
        command.BindFolders(options);
        cancellationToken.ThrowIfCancellationRequested();

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (timeout is { } after && after != Timeout.InfiniteTimeSpan) limit.CancelAfter(after);
        try
        {
            var answer = await AskAsync(options, request, limit.Token).ConfigureAwait(false);
            if (answer.Error is { } error) throw error.ToException();
            return answer.Result is { } result ? result.Deserialize(resultInfo)! : default!;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("The method did not end within the time given.");
        }
    }

    private static async Task<TaskResponse> AskAsync(IsolationOptions options, TaskRequest request, CancellationToken cancellationToken)
    {
        var (theirInput, ourInput) = OpenPipe(writes: true);
        await using var input = new PipeWriteStream(ourInput);
        using (theirInput)
        {
            var (theirOutput, ourOutput) = OpenPipe(writes: false);
            await using var output = new PipeReadStream(ourOutput);
            IsolatedProcess process;
            using (theirOutput)
            {
                var first = Math.Max(2, options.InheritedHandles.Keys.DefaultIfEmpty().Max()) + 1;
                options.InheritedHandles[first] = theirInput;
                options.InheritedHandles[first + 1] = theirOutput;
                options.Environment[Variable] = string.Create(CultureInfo.InvariantCulture, $"{first},{first + 1}");
                IsolatedProcess.CheckUnpiped(options, capture: false);
                process = await IsolatedProcess.StartAsync(options, cancellationToken).ConfigureAwait(false);
            }

            theirInput.Dispose();
            await using (process)
            await using (cancellationToken.UnsafeRegister(static state => ((IsolatedProcess)state!).Kill(), process))
            {
                using var answer = new ArrayPoolBufferWriter<byte>();
                await SendAsync(input, request, cancellationToken).ConfigureAwait(false);
                while (await output.ReadAsync(answer.GetMemory(Chunk), cancellationToken).ConfigureAwait(false) is > 0 and var count)
                {
                    answer.Advance(count);
                    if (answer.WrittenCount > MaxAnswer) throw new JsonException($"The result is longer than {MaxAnswer >> 20} MiB.");
                }

                if (answer.WrittenCount > 0) return JsonSerializer.Deserialize(answer.WrittenSpan, TaskMessages.Default.TaskResponse)!;
                var status = await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
                throw new IsolatedTaskException($"The process of the method has ended before it had a result: {status}.", status);
            }
        }
    }

    private static async Task SendAsync(PipeWriteStream input, TaskRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await input.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(request, TaskMessages.Default.TaskRequest), cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It has ended already: that it has no answer tells more.
        }

        await input.DisposeAsync().ConfigureAwait(false);
    }

    private static (SafeFileHandle Theirs, int Ours) OpenPipe(bool writes)
    {
        Span<int> ends = stackalloc int[2];
        LaunchPipe.Open(ends);
        var (ours, theirs) = writes ? (ends[1], ends[0]) : (ends[0], ends[1]);
        _ = Kernel.fcntl(ours, Linux.F_SETFL, Linux.O_NONBLOCK);
        return (new SafeFileHandle(theirs, ownsHandle: true), ours);
    }

    private static string Name<T>() => typeof(T).AssemblyQualifiedName!;

    private static string? Context(JsonTypeInfo info) => info.OriginatingResolver switch
    {
        JsonSerializerContext context => context.GetType().AssemblyQualifiedName,
        DefaultJsonTypeInfoResolver => null,
        _ => throw new ArgumentException($"What is known of {info.Type} must come from the Default of a JsonSerializerContext, which the other process has as well.", nameof(info)),
    };
}
