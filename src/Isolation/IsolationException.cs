using System.Text;
using Isolation.Interop;

namespace Isolation;

/// <summary>
/// A sandbox could not be set up. Never stands for what the program itself did: a program that ran has an exit status.
/// </summary>
public sealed class IsolationException : Exception
{
    internal IsolationException(string step, string? syscall, int errno, string? path, string? hint)
        : base(Compose(step, syscall, errno, path, hint))
    {
        Step = step;
        Syscall = syscall;
        Errno = errno;
        Path = path;
        Hint = hint;
    }

    /// <summary>What was being done: "mount a fresh procfs".</summary>
    public string Step { get; }

    /// <summary>The system call that failed, or null when it was none.</summary>
    public string? Syscall { get; }

    /// <summary>Its error number, see errno(3); 0 when there is none.</summary>
    public int Errno { get; }

    /// <summary>The path or value concerned, or null.</summary>
    public string? Path { get; }

    /// <summary>What to do about it, where the cause could be found out.</summary>
    public string? Hint { get; }

    private static string Compose(string step, string? syscall, int errno, string? path, string? hint)
    {
        var text = new StringBuilder("Could not ").Append(step);
        if (path is not null) text.Append(" '").Append(path).Append('\'');
        if (syscall is not null || errno != 0) text.Append(": ");
        if (syscall is not null) text.Append(syscall).Append(errno != 0 ? " failed with " : " failed");
        if (errno != 0) text.Append(ErrnoExtensions.Describe(errno));
        text.Append('.');
        if (hint is not null) text.Append(' ').Append(hint).Append(hint.EndsWith('.') ? "" : ".");
        return text.ToString();
    }
}
