using Isolation.Planning;

namespace Isolation;

// What becomes of the options when namespaces are joined.
public sealed partial class IsolationOptions
{
    private bool _hasUmask;
    private SandboxPolicy? _policy;

    /// <summary>What is joined, in the options of one start; null in those that the user has.</summary>
    internal JoinedNamespaces? Joined { get; private set; }

    /// <summary>Those of <see cref="Namespaces"/> that are made for the program.</summary>
    internal Namespaces MadeNamespaces => Joined is { } joined ? Namespaces & ~joined.Namespaces : Namespaces;

    /// <summary>
    /// What holds for all that is started in the sandbox later, as it is now: options may be changed and used again. The same object as before, as long
    /// as nothing has changed.
    /// </summary>
    internal SandboxPolicy Policy() => _policy is { } known && known.IsOf(this) ? known : _policy = new SandboxPolicy(this);

    /// <summary>The same, going into a sandbox or sharing with it.</summary>
    internal IsolationOptions Joining(IsolatedProcess process, Namespaces namespaces)
    {
        if (Join is not null) throw OptionsValidator.Invalid(nameof(Join), "says what is joined, and the sandbox is joined by this call");
        var result = (IsolationOptions)MemberwiseClone();
        result.Join = NamespaceSource.FromProcess(process, namespaces);
        return result;
    }

    /// <summary>These options for one start, with what is joined and, where the program goes into a sandbox, what holds there.</summary>
    internal IsolationOptions For(JoinedNamespaces joined, SandboxPolicy? policy, IReadOnlyDictionary<string, string>? environment, Users.FoundUser? user)
    {
        var result = (IsolationOptions)MemberwiseClone();
        result.Joined = joined;
        result._policy = null;
        result.Namespaces = Namespaces & ~joined.Source.Namespaces | joined.Namespaces;
        if (policy is null) return result;
        result.User = User.Within(policy.User, user, keepsMaps: (joined.Namespaces & Namespaces.User) != 0);
        if (!joined.Enters) return result;
        result.Security = Security.Over(policy.Security);
        result.Limits = Limits.Over(policy.Limits);
        if (!_hasUmask) result.Umask = policy.Umask;
        result.WorkingDirectory ??= policy.WorkingDirectory;
        result.Environment = EnvironmentOver(environment, user);
        return result;
    }

    /// <summary>The sandbox's environment, as its first program got it, with the own entries over it.</summary>
    private Dictionary<string, string?> EnvironmentOver(IReadOnlyDictionary<string, string>? environment, Users.FoundUser? user)
    {
        var result = new Dictionary<string, string?>(StringComparer.Ordinal);
        if (!InheritEnvironment && environment is not null)
        {
            foreach (var name in (ReadOnlySpan<string>)["PATH", "HOME", "LANG"])
                if (!environment.ContainsKey(name)) result[name] = null;
            foreach (var (name, value) in environment) result[name] = value;
        }

        if (!InheritEnvironment && user is { } found && !User.IsGiven) result["HOME"] = System.Text.Encoding.UTF8.GetString(found.Home);
        foreach (var (name, value) in Environment) result[name] = value;
        return result;
    }
}
