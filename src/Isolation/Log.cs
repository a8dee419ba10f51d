using Isolation.Planning;
using Microsoft.Extensions.Logging;

namespace Isolation;

/// <summary>Every message that the library logs. A logger that throws is the user's problem, not the sandbox's: it changes nothing.</summary>
internal static partial class Log
{
    internal static void Started(ILogger? logger, string program, int processId) =>
        Safely(logger, (program, processId), static (logger, values) => WriteStarted(logger, values.program, values.processId));

    internal static void Suspended(ILogger? logger, string program, int processId) =>
        Safely(logger, (program, processId), static (logger, values) => WriteSuspended(logger, values.program, values.processId));

    internal static void Exited(ILogger? logger, string program, int processId, in ProcessExitStatus status) =>
        Safely(logger, (program, processId, status), static (logger, values) =>
            WriteExited(logger, values.program, values.processId, values.status.ExitCode, values.status.Reason, values.status.Duration));

    internal static void Failed(ILogger? logger, string program, Exception exception) =>
        Safely(logger, (program, exception), static (logger, values) => WriteFailed(logger, values.program, values.exception));

    internal static void Plan(ILogger? logger, string program, LaunchPlan plan) =>
        Safely(logger, (program, plan), static (logger, values) =>
        {
            // As text, for the plan is used again for another start while a logger may still hold on to it.
            if (logger.IsEnabled(LogLevel.Trace)) WritePlan(logger, values.program, values.plan.ToString());
        });

    internal static void Landlock(ILogger? logger, string program, LandlockReport? report)
    {
        if (report is { IsComplete: false }) Safely(logger, (program, report), static (logger, values) => WriteLandlock(logger, values.program, values.report));
    }

    private static void Safely<T>(ILogger? logger, T values, Action<ILogger, T> write)
    {
        if (logger is null) return;
        try
        {
            write(logger, values);
        }
        catch (Exception)
        {
            // Whatever it is, a start or a reap must be carried to its end.
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Started {Program} as process {ProcessId}")]
    private static partial void WriteStarted(ILogger logger, string program, int processId);

    [LoggerMessage(2, LogLevel.Debug, "{Program}, process {ProcessId}, ended with {ExitCode} ({Reason}) after {Duration}")]
    private static partial void WriteExited(ILogger logger, string program, int processId, int exitCode, ProcessEndReason reason, TimeSpan duration);

    [LoggerMessage(3, LogLevel.Warning, "{Program} was not started")]
    private static partial void WriteFailed(ILogger logger, string program, Exception exception);

    [LoggerMessage(4, LogLevel.Trace, "The plan for {Program}:\n{Plan}")]
    private static partial void WritePlan(ILogger logger, string program, string plan);

    [LoggerMessage(5, LogLevel.Warning, "{Program} has less than its Landlock policy asks for: {Report}")]
    private static partial void WriteLandlock(ILogger logger, string program, LandlockReport report);

    internal static void HandlerFailed(ILogger? logger, string program, Exception exception) =>
        Safely(logger, (program, exception), static (logger, values) => WriteHandlerFailed(logger, values.program, values.exception));

    [LoggerMessage(6, LogLevel.Error, "The handler of {Program}'s syscalls, or the reporter of its denials, has failed")]
    private static partial void WriteHandlerFailed(ILogger logger, string program, Exception exception);

    [LoggerMessage(7, LogLevel.Debug, "{Program} is set up as process {ProcessId} and waits to be released")]
    private static partial void WriteSuspended(ILogger logger, string program, int processId);
}
