using System.Collections;
using System.Runtime.InteropServices;
using Isolation.Launching;
using Isolation.Planning;
using Microsoft.Extensions.Logging;

namespace Isolation;

/// <summary>
/// What to start and how to isolate it. The defaults are safe: all namespaces but time, the host's tree read-only with
/// private /proc, /tmp, /run, /dev and /dev/shm, no capabilities, no new privileges, no inherited handles but the standard streams,
/// a small clean environment, no network but loopback, ended when the host ends.
/// </summary>
/// <remarks>May be used for any number of starts, one after another or at once; not to be changed while one is under way.</remarks>
public sealed partial class IsolationOptions
{
    /// <summary>Creates options for a program and its arguments.</summary>
    /// <param name="fileName">See <see cref="FileName"/>.</param>
    /// <param name="arguments">The arguments, without the program's own name.</param>
    public IsolationOptions(string fileName, params IEnumerable<string> arguments)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileName);
        ArgumentNullException.ThrowIfNull(arguments);
        FileName = fileName;
        Arguments = new List<string>(arguments);
    }

    /// <summary>
    /// The program: a path inside the sandbox when it contains a slash (relative ones count from <see cref="WorkingDirectory"/>),
    /// else a name that is looked up along the sandbox's <c>PATH</c>, in the sandbox's own tree.
    /// </summary>
    public string FileName { get; set; }

    /// <summary>The arguments, passed as they are: there is no shell and no quoting.</summary>
    public IList<string> Arguments { get; }

    /// <summary>
    /// Environment variables over the base, which is a small clean set (PATH, HOME=/tmp, LANG=C.UTF-8), or the host's when
    /// <see cref="InheritEnvironment"/> is set. A null value removes a variable.
    /// </summary>
    public IDictionary<string, string?> Environment { get; private set; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>Starts from a copy of the host's environment instead of the clean one. Default: false.</summary>
    public bool InheritEnvironment { get; set; }

    /// <summary>Absolute path, inside, of the program's working directory. Default: null, which is <c>/</c>.</summary>
    public string? WorkingDirectory { get; set; }

    /// <summary>The namespaces the program gets for itself. Default: all but time.</summary>
    public Namespaces Namespaces { get; set; } = Namespaces.Default;

    /// <summary>
    /// Namespaces that exist already, those of another sandbox for one, which the program gets in place of its own or the host's, whatever
    /// <see cref="Namespaces"/> says of these kinds. Default: null. What the file tree is joined with cannot be mounted or named anew. See
    /// <see cref="NamespaceSource"/>, and <see cref="IsolatedProcess.Start(IsolationOptions, Namespaces)"/> for the way into a sandbox.
    /// </summary>
    /// <example>Two programs that reach each other on 127.0.0.1, each with files and processes of its own: <code>
    /// options.Join = NamespaceSource.FromProcess(other, Namespaces.Network | Namespaces.Ipc | Namespaces.Uts);
    /// </code></example>
    public NamespaceSource? Join { get; set; }

    /// <summary>Host name inside, at most 64 bytes. Default: null, a copy of the host's. Needs <see cref="Namespaces.Uts"/>.</summary>
    public string? HostName { get; set; }

    /// <summary>NIS domain name inside, at most 64 bytes. Default: null, a copy of the host's. Needs <see cref="Namespaces.Uts"/>.</summary>
    public string? DomainName { get; set; }

    /// <summary>
    /// Ends the sandbox when the host process ends, however it ends (SIGKILL included). Default: true. Not tied to the thread
    /// that started it, and not to be undone from inside.
    /// </summary>
    public bool KillOnParentExit { get; set; } = true;

    /// <summary>
    /// Puts a small init before the program: it is process 1 and the program process 2. It reaps orphans, forwards signals and
    /// ends with the program's status. Without it the program is process 1 itself. Default: false. Needs <see cref="Namespaces.Pid"/>.
    /// </summary>
    /// <remarks>
    /// What it means to be process 1 (pid_namespaces(7)): a signal for which the program has no handler does nothing to it, be it SIGTERM from the host, a
    /// Ctrl-C, or the SIGABRT that it raises itself; only SIGKILL and SIGSTOP from the host always count, and faults such as SIGSEGV of its own. So
    /// <see cref="IsolatedProcess.StopAsync"/> has to resort to SIGKILL for most programs. Who loses their parent become its children, and stay as zombies
    /// unless it waits for them, which few programs do but shells. When it ends, everything in the namespace is killed. The init changes the first two
    /// and costs one small process.
    /// </remarks>
    public bool UseInit { get; set; }

    /// <summary>The file tree.</summary>
    public FilesystemOptions Filesystem { get; } = new();

    /// <summary>Who the program is inside.</summary>
    public UserOptions User { get; private set; } = new();

    /// <summary>What the program may not do: a profile of one's own, or one of <see cref="SecurityOptions"/>. Default: <see cref="SecurityOptions.Default"/>.</summary>
    /// <exception cref="ArgumentNullException">There is none; <see cref="SecurityOptions.Unconfined"/> is for that.</exception>
    public SecurityOptions Security
    {
        get;
        set => field = value ?? throw new ArgumentNullException(nameof(value));
    } = new();

    /// <summary>Clock offsets.</summary>
    public TimeOptions Time { get; } = new();

    /// <summary>What each process of the sandbox may use.</summary>
    public LimitOptions Limits { get; private set; } = new();

    /// <summary>How the program shares processors and disks with others.</summary>
    public SchedulingOptions Scheduling { get; } = new();

    /// <summary>
    /// The permission bits that new files of the program do not get, umask(2), 0 to 511 (octal 777). Default: 18, which is octal 022: only the
    /// owner may write.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    public int Umask
    {
        get;
        set
        {
            field = value is >= 0 and <= 511 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "It is 0 to 511.");
            _hasUmask = true;
        }
    } = 18;

    /// <summary>
    /// A terminal of the program's own, which controls its session: the standard streams that are left at
    /// <see cref="StandardStream.Inherit"/> are connected to it, and the host has the other side in
    /// <see cref="IsolatedProcess.Terminal"/>. Default: null, none. See <see cref="TerminalOptions"/>.
    /// </summary>
    public TerminalOptions? Terminal { get; set; }

    /// <summary>Standard input. Default: the host's.</summary>
    public StandardStream StandardInput { get; set; } = StandardStream.Inherit;

    /// <summary>Standard output. Default: the host's.</summary>
    public StandardStream StandardOutput { get; set; } = StandardStream.Inherit;

    /// <summary>Standard error. Default: the host's.</summary>
    public StandardStream StandardError { get; set; } = StandardStream.Inherit;

    /// <summary>
    /// Further handles for the program, each under the descriptor number (3 or more) that it will have inside. They stay the
    /// caller's, who may close them once the start is done. Nothing else is inherited.
    /// </summary>
    public IDictionary<int, SafeHandle> InheritedHandles { get; } = new SortedDictionary<int, SafeHandle>();

    /// <summary>Gets a line for each start, exit and failure, and the whole plan at trace level. Default: null.</summary>
    public ILogger? Logger { get; set; }

    /// <summary>
    /// The steps that a start with these options takes, in the manner of strace, one a line: what the host does, then what the
    /// child does until it becomes the program. Nothing is started.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of range or contradicts another.</exception>
    /// <exception cref="IsolationException">This kernel's Landlock cannot enforce a policy that is required.</exception>
    public string Explain()
    {
        var options = JoinResolver.Resolve(this);
        OptionsValidator.Validate(options);
        var plan = new LaunchPlan();
        Planner.Plan(plan, options, Host.Facts(options), StandardStreams.Wiring(options, capture: false));
        return plan.ToString();
    }

    internal SortedDictionary<string, string> EffectiveEnvironment()
    {
        var result = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (InheritEnvironment)
        {
            foreach (DictionaryEntry entry in System.Environment.GetEnvironmentVariables()) result[(string)entry.Key] = (string?)entry.Value ?? "";
        }
        else
        {
            result["PATH"] = ExecutionPlanner.DefaultPath;
            result["HOME"] = ExecutionPlanner.DefaultHome;
            result["LANG"] = ExecutionPlanner.DefaultLanguage;
        }

        if (Terminal is { } terminal) result.TryAdd("TERM", terminal.Type);
        foreach (var (name, value) in Environment)
        {
            if (value is null) result.Remove(name);
            else result[name] = value;
        }

        return result;
    }
}
