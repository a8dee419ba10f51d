using System.Text;
using Isolation.Launching;
using Isolation.Planning;

namespace Isolation;

/// <summary>
/// A sandbox by Landlock (landlock(7), Linux 5.13): what is handled is denied, except where a rule allows it. Needs neither privileges nor
/// namespaces, so it also works alone, where user namespaces are forbidden (<see cref="Namespaces.None"/>), and inside other sandboxes.
/// </summary>
/// <remarks>
/// <para>
/// Immutable: every method returns another policy, and <c>with</c> copies. By default everything is handled that Landlock knows as of ABI 7, and
/// enforcement is required; this needs Linux 6.12 (ABI 6). For an older kernel handle less (<see cref="ForAbi"/>), or choose
/// <see cref="LandlockEnforcement.BestEffort"/>.
/// </para>
/// <para>
/// Paths are the sandbox's own, as the program sees them, looked up when everything is mounted. A rule holds for the file or folder that is there then,
/// wherever else it may be mounted, and for what is below it; symbolic links on the way are followed. Layers of an overlay are not its merged folder.
/// The program itself, the interpreter of a script and the dynamic loader must be executable (<see cref="AllowReadExecute"/>), and the libraries readable.
/// With any right to files handled, the program cannot mount, not even in namespaces that it makes; with any policy at all it cannot trace
/// (ptrace(2)) processes outside.
/// </para>
/// <para>
/// Denied programs see EACCES, or EXDEV for <see cref="LandlockAccess.Refer"/>, or EPERM for <see cref="Scopes"/>. The kernel tells of it by its audit log
/// only (<see cref="Log"/>), which takes CAP_AUDIT_READ or root to read.
/// </para>
/// </remarks>
/// <example>
/// The program reads and executes what is installed, and writes to one folder; no TCP but to port 443, no signal to anybody outside:
/// <code>
/// var options = new IsolationOptions("convert", "in.svg", "out.png")
/// {
///     Namespaces = Namespaces.None,
///     WorkingDirectory = "/work",
///     Security =
///     {
///         Landlock = new LandlockPolicy { Enforcement = LandlockEnforcement.BestEffort }
///             .AllowReadExecute("/usr", "/lib", "/lib64")
///             .AllowRead("/etc/fonts")
///             .AllowReadWrite("/work", "/dev/null")
///             .AllowConnectTcp(443),
///     },
/// };
/// await using var process = await IsolatedProcess.StartAsync(options);
/// Console.WriteLine(process.Landlock); // what this kernel enforces of it
/// </code>
/// </example>
public sealed record LandlockPolicy
{
    /// <summary>The newest ABI whose rights are known here.</summary>
    internal const int NewestAbi = 7;

    private LandlockPathRule[] _paths = [];
    private LandlockPortRule[] _ports = [];
    private LandlockRules? _rules;

    /// <summary>The version of Landlock's ABI in this kernel; 0 where it has none, it is switched off, or an outer sandbox hides it.</summary>
    public static int KernelAbi => Math.Max(0, LandlockSupport.Abi);

    /// <summary>A policy that handles everything a kernel with this ABI can enforce, and needs nothing newer.</summary>
    /// <param name="abi">1 (Linux 5.13), 2 (5.19), 3 (6.2), 4 (6.7), 5 (6.10), 6 (6.12) or 7 (6.15).</param>
    /// <exception cref="ArgumentOutOfRangeException">Another number.</exception>
    public static LandlockPolicy ForAbi(int abi)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(abi, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(abi, NewestAbi);
        return new LandlockPolicy
        {
            HandledAccess = LandlockAbi.Access(abi), HandledNetworkAccess = LandlockAbi.NetworkAccess(abi), Scopes = LandlockAbi.Scopes(abi),
        };
    }

    /// <summary>The rights to files that are denied unless a rule allows them. Default: all. What is not handled is allowed, but for <see cref="LandlockAccess.Refer"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Bits that stand for no right.</exception>
    public LandlockAccess HandledAccess { get; init => field = Known(value); } = LandlockAccess.All;

    /// <summary>The uses of TCP ports that are denied unless a rule allows them. Default: all.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Bits that stand for no use.</exception>
    public LandlockNetworkAccess HandledNetworkAccess { get; init => field = Known(value); } = LandlockNetworkAccess.All;

    /// <summary>What stays among the program and its descendants. Default: all.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Bits that stand for no scope.</exception>
    public LandlockScopes Scopes
    {
        get;
        init => field = (value & ~LandlockScopes.All) == 0 ? value : throw Unknown(nameof(Scopes), value);
    } = LandlockScopes.All;

    /// <summary>What of the denials is logged. Default: as the kernel does it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Bits that stand for nothing.</exception>
    public LandlockLog Log
    {
        get;
        init => field = (value & ~LandlockAbi.Log(NewestAbi)) == 0 ? value : throw Unknown(nameof(Log), value);
    }

    /// <summary>What happens where the kernel cannot enforce all of it. Default: <see cref="LandlockEnforcement.Required"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not one of the two.</exception>
    public LandlockEnforcement Enforcement
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw Unknown(nameof(Enforcement), value);
    }

    /// <summary>What is allowed to files and folders. Rules for the same one add up.</summary>
    public IReadOnlyList<LandlockPathRule> Paths => _paths.AsReadOnly();

    /// <summary>What is allowed with TCP ports.</summary>
    public IReadOnlyList<LandlockPortRule> Ports => _ports.AsReadOnly();

    /// <summary>The oldest ABI that can enforce all of it.</summary>
    public int RequiredAbi
    {
        get
        {
            var abi = 1;
            while (abi < NewestAbi && !new LandlockReport(this, abi).IsComplete) abi++;
            return abi;
        }
    }

    /// <summary>Allows to read these files, and all files and folders below these folders.</summary>
    /// <inheritdoc cref="AllowPath" path="/exception"/>
    public LandlockPolicy AllowRead(params IEnumerable<string> paths) => AllowPaths(paths, LandlockAccess.Read);

    /// <summary>Allows to read and execute what these paths lead to. Programs need it for themselves and their dynamic loader.</summary>
    /// <inheritdoc cref="AllowPath" path="/exception"/>
    public LandlockPolicy AllowReadExecute(params IEnumerable<string> paths) => AllowPaths(paths, LandlockAccess.ReadExecute);

    /// <summary>Allows to change, make and remove what these paths lead to, but not to read it: see <see cref="LandlockAccess.Write"/>.</summary>
    /// <inheritdoc cref="AllowPath" path="/exception"/>
    public LandlockPolicy AllowWrite(params IEnumerable<string> paths) => AllowPaths(paths, LandlockAccess.Write);

    /// <summary>Allows to read and to change, but not to execute.</summary>
    /// <inheritdoc cref="AllowPath" path="/exception"/>
    public LandlockPolicy AllowReadWrite(params IEnumerable<string> paths) => AllowPaths(paths, LandlockAccess.ReadWrite);

    /// <summary>Allows exactly these rights to a file, or to a folder and everything below it. Of a file only those count that files have.</summary>
    /// <param name="path">Absolute path inside the sandbox. It must exist when the program starts, unless <paramref name="ignoreMissing"/> is set.</param>
    /// <param name="access">The rights. What <see cref="HandledAccess"/> lacks is allowed anyway.</param>
    /// <param name="ignoreMissing">Where nothing is there, there is no rule. What is made there later has the rights of the folder it is in.</param>
    /// <exception cref="ArgumentException">The path is not absolute or not one that the kernel can be given.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no right, or a bit that stands for none.</exception>
    public LandlockPolicy AllowPath(string path, LandlockAccess access, bool ignoreMissing = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OptionsValidator.NoNul(path, nameof(path));
        if (path[0] != '/') throw new ArgumentException($"A path is absolute, and inside the sandbox; '{path}' is not.", nameof(path));
        if (Known(access) == 0) throw new ArgumentOutOfRangeException(nameof(access), access, "A rule allows something.");
        return this with { _paths = [.. _paths, new LandlockPathRule(path, access, ignoreMissing)] };
    }

    /// <summary>Allows to bind TCP sockets to these ports. Port 0: to one that the kernel chooses (net.ipv4.ip_local_port_range).</summary>
    /// <inheritdoc cref="AllowPort" path="/exception"/>
    public LandlockPolicy AllowBindTcp(params IEnumerable<int> ports) => AllowPorts(ports, LandlockNetworkAccess.BindTcp);

    /// <summary>Allows to connect TCP sockets to these ports, of any address.</summary>
    /// <inheritdoc cref="AllowPort" path="/exception"/>
    public LandlockPolicy AllowConnectTcp(params IEnumerable<int> ports) => AllowPorts(ports, LandlockNetworkAccess.ConnectTcp);

    /// <summary>Allows uses of a TCP port.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The port is not one of 0 to 65535, there is no use, or a bit that stands for none.</exception>
    public LandlockPolicy AllowPort(int port, LandlockNetworkAccess access)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, ushort.MaxValue);
        if (Known(access) == 0) throw new ArgumentOutOfRangeException(nameof(access), access, "A rule allows something.");
        return this with { _ports = [.. _ports, new LandlockPortRule(port, access)] };
    }

    /// <summary>What the kernel is to be told.</summary>
    internal LandlockRules RulesFor(LandlockReport report) => _rules is { } rules && rules.Are(_paths, _ports, report)
        ? rules
        : _rules = new LandlockRules(_paths, _ports, report.HandledAccess, report.HandledNetworkAccess);

    /// <summary>The same policies have the same rules in the same order.</summary>
    public bool Equals(LandlockPolicy? other) =>
        other is not null && HandledAccess == other.HandledAccess && HandledNetworkAccess == other.HandledNetworkAccess && Scopes == other.Scopes
        && Log == other.Log && Enforcement == other.Enforcement && _paths.SequenceEqual(other._paths) && _ports.SequenceEqual(other._ports);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(HandledAccess, HandledNetworkAccess, Scopes, Log, Enforcement, _paths.Length, _ports.Length);

    /// <summary>The policy, one rule a line.</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"Landlock, {(Enforcement == LandlockEnforcement.Required ? "required" : "best effort")}, for all of it ABI {RequiredAbi}\n");
        text.Append($"denied unless allowed below: {HandledAccess}; TCP: {HandledNetworkAccess}\n");
        text.Append($"only among its own: {Scopes}\n");
        if (Log != 0) text.Append($"log: {Log}\n");
        foreach (var rule in _paths) text.Append(rule).Append('\n');
        foreach (var rule in _ports) text.Append(rule).Append('\n');
        return text.ToString();
    }

    private LandlockPolicy AllowPaths(IEnumerable<string> paths, LandlockAccess access)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return paths.Aggregate(this, (policy, path) => policy.AllowPath(path, access));
    }

    private LandlockPolicy AllowPorts(IEnumerable<int> ports, LandlockNetworkAccess access)
    {
        ArgumentNullException.ThrowIfNull(ports);
        return ports.Aggregate(this, (policy, port) => policy.AllowPort(port, access));
    }

    private static LandlockAccess Known(LandlockAccess access) => (access & ~LandlockAccess.All) == 0 ? access : throw Unknown(nameof(access), access);

    private static LandlockNetworkAccess Known(LandlockNetworkAccess access) =>
        (access & ~LandlockNetworkAccess.All) == 0 ? access : throw Unknown(nameof(access), access);

    private static ArgumentOutOfRangeException Unknown(string name, object value) => new(name, value, "Not what Landlock knows.");
}
