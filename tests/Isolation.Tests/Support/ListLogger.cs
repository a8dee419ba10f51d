using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Isolation.Tests.Support;

/// <summary>Keeps what is logged.</summary>
internal sealed class ListLogger(LogLevel level, Action<string>? onEntry = null) : ILogger
{
    internal ConcurrentQueue<(LogLevel Level, string Message, Exception? Exception)> Entries { get; } = new();

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= level;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var message = formatter(state, exception);
        Entries.Enqueue((logLevel, message, exception));
        onEntry?.Invoke(message);
    }
}
