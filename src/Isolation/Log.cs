using Microsoft.Extensions.Logging;

namespace Isolation;

/// <summary>Every message that the library logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "Started {Program} as process {ProcessId}")]
    internal static partial void Started(ILogger logger, string program, int processId);

    [LoggerMessage(2, LogLevel.Debug, "{Program}, process {ProcessId}, ended with {ExitCode}")]
    internal static partial void Exited(ILogger logger, string program, int processId, int exitCode);

    [LoggerMessage(3, LogLevel.Warning, "{Program} was not started")]
    internal static partial void Failed(ILogger logger, string program, Exception exception);

    [LoggerMessage(4, LogLevel.Trace, "The plan for {Program}:\n{Plan}")]
    internal static partial void Plan(ILogger logger, string program, object plan);
}
