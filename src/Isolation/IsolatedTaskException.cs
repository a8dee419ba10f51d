namespace Isolation;

/// <summary>A method that <see cref="IsolatedTask"/> ran has thrown an exception, or its process has ended without a result.</summary>
public sealed class IsolatedTaskException : Exception
{
    internal IsolatedTaskException(string message, string remoteTypeName, string? remoteStackTrace, Exception? inner)
        : base(message, inner) => (RemoteTypeName, RemoteStackTrace) = (remoteTypeName, remoteStackTrace);

    internal IsolatedTaskException(string message, ProcessExitStatus exitStatus)
        : base(message) => ExitStatus = exitStatus;

    /// <summary>The full name of the exception's type, such as <c>System.InvalidOperationException</c>; null when the process has ended without a word.</summary>
    public string? RemoteTypeName { get; }

    /// <summary>The exception's stack trace, in the other process.</summary>
    public string? RemoteStackTrace { get; }

    /// <summary>How the process has ended when it did so without a word; null when the method has thrown.</summary>
    public ProcessExitStatus? ExitStatus { get; }

    /// <inheritdoc/>
    public override string ToString() => RemoteStackTrace is null
        ? base.ToString()
        : $"{base.ToString()}{Environment.NewLine}--- in the sandbox: {RemoteTypeName}{Environment.NewLine}{RemoteStackTrace}";
}
