using System.Text;

namespace Isolation;

/// <summary>Finds options that are out of range or contradict each other, before anything is created.</summary>
internal static class OptionsValidator
{
    private const int MaxNameBytes = 64; // __NEW_UTS_LEN

    internal static void Validate(IsolationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.IsNullOrEmpty(options.FileName)) throw Invalid(nameof(options.FileName), "must not be empty");
        NoNul(options.FileName, nameof(options.FileName));
        foreach (var argument in options.Arguments)
        {
            if (argument is null) throw Invalid(nameof(options.Arguments), "must not contain null");
            NoNul(argument, nameof(options.Arguments));
        }

        foreach (var (name, value) in options.Environment)
        {
            if (name.Length == 0 || name.Contains('=')) throw Invalid(nameof(options.Environment), $"has the name '{name}', which is empty or contains '='");
            NoNul(name, nameof(options.Environment));
            NoNul(value, nameof(options.Environment));
        }

        if ((options.Namespaces & ~Namespaces.All) != 0) throw Invalid(nameof(options.Namespaces), "has bits that stand for no namespace");
        if (options.WorkingDirectory is { } directory)
        {
            NoNul(directory, nameof(options.WorkingDirectory));
            if (!directory.StartsWith('/')) throw Invalid(nameof(options.WorkingDirectory), $"must be an absolute path inside the sandbox, not '{directory}'");
        }

        Name(options.HostName, nameof(options.HostName), options.Namespaces);
        Name(options.DomainName, nameof(options.DomainName), options.Namespaces);
        if (options.UseInit && (options.Namespaces & Namespaces.Pid) == 0)
            throw Invalid(nameof(options.UseInit), "needs Namespaces.Pid: only in a PID namespace of its own can a process be init");
        if ((options.Time.MonotonicOffset != TimeSpan.Zero || options.Time.BootTimeOffset != TimeSpan.Zero) && (options.Namespaces & Namespaces.Time) == 0)
            throw Invalid(nameof(options.Time), "has clock offsets, which need Namespaces.Time");
        UserValidator.Validate(options);
        if (options.Security.Landlock is { HandledAccess: 0, HandledNetworkAccess: 0, Scopes: 0 })
            throw Invalid(nameof(options.Security), "has a Landlock policy that handles nothing; null is no policy");
        CapabilityValidator.Validate(options);
        options.Scheduling.Validate();
        FilesystemValidator.Validate(options);
        SeccompValidator.Validate(options);
        if (options.StandardInput is null || options.StandardOutput is null || options.StandardError is null)
            throw Invalid(nameof(options.StandardInput), "and its siblings must not be null; StandardStream.Null is the null device");
        TerminalValidator.Validate(options);
        Handle(options.StandardInput, nameof(options.StandardInput));
        Handle(options.StandardOutput, nameof(options.StandardOutput));
        Handle(options.StandardError, nameof(options.StandardError));
        foreach (var (number, handle) in options.InheritedHandles)
        {
            if (number is < 3 or > 1023) throw Invalid(nameof(options.InheritedHandles), $"has the number {number}; 3 to 1023 are possible, and 0 to 2 are the standard streams");
            if (handle is null || handle.IsClosed || handle.IsInvalid) throw Invalid(nameof(options.InheritedHandles), $"has a closed or invalid handle at {number}");
        }

        if (options.InheritedHandles.Count > 16) throw Invalid(nameof(options.InheritedHandles), "has more than 16 handles");
    }

    private static void Name(string? value, string option, Namespaces namespaces)
    {
        if (value is null) return;
        NoNul(value, option);
        if (Encoding.UTF8.GetByteCount(value) is 0 or > MaxNameBytes) throw Invalid(option, $"must have 1 to {MaxNameBytes} bytes");
        if ((namespaces & Namespaces.Uts) == 0) throw Invalid(option, "needs Namespaces.Uts; without it the host's own name would change");
    }

    private static void Handle(StandardStream stream, string option)
    {
        if (stream.SourceHandle is { IsClosed: true }) throw Invalid(option, "is a handle that has been closed since");
    }

    /// <summary>Only what the kernel would get as it is meant.</summary>
    internal static void NoNul(string? value, string option)
    {
        if (value is null) return;
        if (value.Contains('\0')) throw Invalid(option, "must not contain a NUL character, at which the kernel would cut it off");
        if (HasLoneSurrogate(value)) throw Invalid(option, "must not contain half of a surrogate pair, which has no form in UTF-8");
    }

    /// <summary>The encoder would put U+FFFD in its place, silently: another name than was asked for.</summary>
    private static bool HasLoneSurrogate(ReadOnlySpan<char> value)
    {
        for (int at; (at = value.IndexOfAnyInRange('\ud800', '\udfff')) >= 0; value = value[(at + 2)..])
            if (at + 1 == value.Length || !char.IsSurrogatePair(value[at], value[at + 1])) return true;
        return false;
    }

    internal static ArgumentException Invalid(string option, string problem) => new($"{option} {problem}.", option);
}
