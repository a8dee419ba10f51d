using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Isolation.Delegates;

namespace Isolation;

/// <summary>
/// Runs a method of this app in a process of its own, in a sandbox: the app is started again, and instead of its Main the method runs. Argument and result
/// go as JSON through pipes of their own; standard output and error are the method's.
/// </summary>
/// <remarks>
/// <para>
/// A call takes about twice as long as a small .NET app from start to end, a tenth of a second, and nothing is shared: static fields have their initial values, handles are not
/// inherited, the default options of <see cref="IsolationOptions"/> hold. Of the environment the method gets the clean one and the host's DOTNET_ variables.
/// </para>
/// <para>
/// The method is static, or a lambda that captures nothing. It works for apps that are run by <c>dotnet app.dll</c> or by their own executable, published
/// self-contained or as a single file. Trimmed apps need <c>&lt;StartupHookSupport&gt;true&lt;/StartupHookSupport&gt;</c> in their project (the trimmer
/// warns of it, IL2026; of this library's hook it keeps what is needed), and the overloads with JsonTypeInfo.
/// Apps compiled ahead of time (native AOT) have no runtime that could be told to run something else.
/// </para>
/// </remarks>
public static class IsolatedTask
{
    private const string Reflection = "Argument and result are serialized by reflection; use the overload with JsonTypeInfo.";

    /// <summary>Runs a method and returns its result.</summary>
    /// <param name="method">A static method, or a lambda that captures nothing.</param>
    /// <param name="argument">What it is called with, as JSON can carry it.</param>
    /// <param name="configure">Changes the options of the sandbox, which are those of <see cref="IsolationOptions"/> with the app's own command.
    /// No standard stream may be a pipe, as nobody would serve it.</param>
    /// <param name="timeout">After this time the process is killed. Null or <see cref="Timeout.InfiniteTimeSpan"/>: no limit.</param>
    /// <param name="cancellationToken">Kills the process.</param>
    /// <exception cref="ArgumentException"><paramref name="method"/> has captured something, or the options contradict each other.</exception>
    /// <exception cref="InvalidOperationException">This app cannot be started again for it: it has no entry assembly, or no support for startup hooks.</exception>
    /// <exception cref="PlatformNotSupportedException">The app is compiled ahead of time, or this is not Linux on x64 or arm64.</exception>
    /// <exception cref="IsolatedTaskException">The method has thrown an exception, or its process has ended before it had a result.</exception>
    /// <exception cref="IsolationException">The sandbox could not be set up.</exception>
    /// <exception cref="TimeoutException">The time was up.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    /// <exception cref="JsonException">What came back is no <typeparamref name="TResult"/>.</exception>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static Task<TResult> RunAsync<TArgument, TResult>(Func<TArgument, TResult> method, TArgument argument, Action<IsolationOptions>? configure = null,
        TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        TaskRunner.RunAsync(method, argument, Info<TArgument>(), Info<TResult>(), isAsync: false, configure, timeout, cancellationToken);

    /// <summary>Runs an asynchronous method and returns its result.</summary>
    /// <inheritdoc cref="RunAsync{TArgument,TResult}(Func{TArgument,TResult},TArgument,Action{IsolationOptions},TimeSpan?,CancellationToken)"/>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static Task<TResult> RunAsync<TArgument, TResult>(Func<TArgument, Task<TResult>> method, TArgument argument, Action<IsolationOptions>? configure = null,
        TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        TaskRunner.RunAsync(method, argument, Info<TArgument>(), Info<TResult>(), isAsync: true, configure, timeout, cancellationToken);

    /// <summary>Runs a method and returns its result, with what a source generator knows of the types.</summary>
    /// <param name="method">A static method, or a lambda that captures nothing.</param>
    /// <param name="argument">What it is called with, as JSON can carry it.</param>
    /// <param name="argumentInfo">Of the <c>Default</c> of a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>, which the other process has as well.</param>
    /// <param name="resultInfo">Likewise.</param>
    /// <param name="configure">Changes the options of the sandbox.</param>
    /// <param name="timeout">After this time the process is killed. Null or <see cref="Timeout.InfiniteTimeSpan"/>: no limit.</param>
    /// <param name="cancellationToken">Kills the process.</param>
    /// <inheritdoc cref="RunAsync{TArgument,TResult}(Func{TArgument,TResult},TArgument,Action{IsolationOptions},TimeSpan?,CancellationToken)" path="/exception"/>
    public static Task<TResult> RunAsync<TArgument, TResult>(Func<TArgument, TResult> method, TArgument argument, JsonTypeInfo<TArgument> argumentInfo,
        JsonTypeInfo<TResult> resultInfo, Action<IsolationOptions>? configure = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        TaskRunner.RunAsync(method, argument, argumentInfo, resultInfo, isAsync: false, configure, timeout, cancellationToken);

    /// <summary>Runs an asynchronous method and returns its result, with what a source generator knows of the types.</summary>
    /// <inheritdoc cref="RunAsync{TArgument,TResult}(Func{TArgument,TResult},TArgument,JsonTypeInfo{TArgument},JsonTypeInfo{TResult},Action{IsolationOptions},TimeSpan?,CancellationToken)"/>
    public static Task<TResult> RunAsync<TArgument, TResult>(Func<TArgument, Task<TResult>> method, TArgument argument, JsonTypeInfo<TArgument> argumentInfo,
        JsonTypeInfo<TResult> resultInfo, Action<IsolationOptions>? configure = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        TaskRunner.RunAsync(method, argument, argumentInfo, resultInfo, isAsync: true, configure, timeout, cancellationToken);

    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    private static JsonTypeInfo<T> Info<T>() => (JsonTypeInfo<T>)JsonSerializerOptions.Default.GetTypeInfo(typeof(T));
}
