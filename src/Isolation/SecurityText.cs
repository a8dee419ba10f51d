using System.Text;

namespace Isolation;

/// <summary>The words of what confines a program, for profiles and reports.</summary>
internal static class SecurityText
{
    internal static string Of(SecurityOptions security)
    {
        var text = new StringBuilder();
        Line("new privileges", security.NoNewPrivileges ? "none by exec" : "possible by exec");
        Line("capabilities", security.Capabilities.ToString());
        Line("securebits", security.SecureBits.ToString());
        Line("session keyring", Keyring(security.InheritSessionKeyring ? SessionKeyring.Inherited : SessionKeyring.Empty));
        Line("personality", security.Personality?.ToString() ?? "the host's");
        Block("Landlock", security.Landlock?.ToString() ?? "no policy");
        Block("seccomp", security.Seccomp?.ToString() ?? "no filter");
        if (security.SyscallHandler is not null) Line("syscall handler", "yes");
        if (security.DenialReporter is not null) Line("denial reporter", "yes");
        return text.ToString();

        void Line(string name, string value) => text.Append(name).Append(": ").Append(value).Append('\n');

        void Block(string name, string value)
        {
            value = value.TrimEnd('\n');
            if (!value.Contains('\n')) Line(name, value);
            else text.Append(name).Append(":\n    ").Append(value.Replace("\n", "\n    ")).Append('\n');
        }
    }

    internal static string Keyring(SessionKeyring keyring) => keyring switch
    {
        SessionKeyring.Empty => "an empty one of its own",
        SessionKeyring.Inherited => "the host's",
        SessionKeyring.OutOfReach => "the host's, out of reach by the seccomp profile",
        _ => "none",
    };

    internal static string Capabilities(Capabilities? set) => set switch
    {
        null => "as needed",
        Isolation.Capabilities.None => "none",
        Isolation.Capabilities.All => "all",
        { } some => CapabilityValidator.Names(some),
    };
}
