using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Escapes;

/// <summary>Who starts the sandbox that is to be escaped from, and how.</summary>
public enum EscapeMode
{
    /// <summary>Root, and no user namespace between the program and the host's root.</summary>
    Root,

    /// <summary>Root, with a user namespace.</summary>
    RootInUserNamespace,

    /// <summary>An ordinary user, who cannot do without.</summary>
    Rootless,
}

internal static class EscapeModes
{
    /// <summary>Those that whoever runs the tests can try. CI runs them as root and as an ordinary user.</summary>
    public static TheoryData<EscapeMode> Every => Privilege.CanAdminister ? [EscapeMode.Root, EscapeMode.RootInUserNamespace] : [EscapeMode.Rootless];

    /// <summary>The defaults, which are the strictest options, in this mode.</summary>
    internal static IsolationOptions In(this EscapeMode mode, IsolationOptions options)
    {
        if (mode == EscapeMode.Root) options.Namespaces &= ~Namespaces.User;
        return options;
    }
}
