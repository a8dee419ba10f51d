namespace Isolation;

// What holds for a program that enters a sandbox: what its own options say, and for the rest what those of the sandbox say.
public sealed partial class SecurityOptions
{
    private Given _given;

    [Flags]
    private enum Given
    {
        NoNewPrivileges = 1 << 0,
        Capabilities = 1 << 1,
        SecureBits = 1 << 2,
        Landlock = 1 << 3,
        Seccomp = 1 << 4,
        SyscallHandler = 1 << 5,
        DenialReporter = 1 << 6,
        InheritSessionKeyring = 1 << 7,
        Personality = 1 << 8,
        All = (1 << 9) - 1,
    }

    /// <summary>Another one after every change.</summary>
    internal int Version { get; private set; }

    internal SecurityOptions Over(SecurityOptions sandbox)
    {
        var result = Clone();
        if (Lacks(Given.NoNewPrivileges)) result.NoNewPrivileges = sandbox.NoNewPrivileges;
        if (Lacks(Given.Capabilities)) result.Capabilities = sandbox.Capabilities;
        if (Lacks(Given.SecureBits)) result.SecureBits = sandbox.SecureBits;
        if (Lacks(Given.InheritSessionKeyring)) result.InheritSessionKeyring = sandbox.InheritSessionKeyring;
        if (Lacks(Given.Personality)) result.Personality = sandbox.Personality;
        if (Lacks(Given.Landlock)) result.Landlock = sandbox.Landlock;
        if (!Lacks(Given.Seccomp)) return result; // the other two belong to the profile
        result.Seccomp = sandbox.Seccomp;
        if (Lacks(Given.SyscallHandler)) result.SyscallHandler = sandbox.SyscallHandler;
        if (Lacks(Given.DenialReporter)) result.DenialReporter = sandbox.DenialReporter;
        return result;
    }

    /// <summary>A profile that says all: who chooses it for a program that enters a sandbox gets it as it is.</summary>
    private static SecurityOptions Complete(SecurityOptions profile)
    {
        profile._given = Given.All;
        return profile;
    }

    private bool Lacks(Given what) => (_given & what) == 0;

    private void Set<T>(out T field, T value, Given what)
    {
        field = value;
        _given |= what;
        Version++;
    }
}
