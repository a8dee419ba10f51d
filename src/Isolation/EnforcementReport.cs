using System.Globalization;
using System.Text;
using Isolation.Interop;
using Isolation.Launching;
using Isolation.Planning;

namespace Isolation;

/// <summary>
/// What confines a program: the result of the steps that made its sandbox, as it was when the program began. What the program did to itself
/// since (it may always give up more) is not in it, nor what whoever made them did to namespaces that it joins.
/// </summary>
public sealed class EnforcementReport
{
    private const SecureBits NoSpecialRoot = SecureBits.NoRoot;

    internal EnforcementReport(in EnforcementRecord record)
    {
        Namespaces = record.Namespaces;
        ForbidsNestedUserNamespaces = record.ForbidsNestedUserNamespaces;
        (UserId, GroupId) = (record.UserId, record.GroupId);
        if (record.MapsIds) (UserMap, GroupMap) = (record.Users.Mappings(UserId), record.Groups.Mappings(GroupId));
        (NoNewPrivileges, SecureBits) = (record.NoNewPrivileges, record.SecureBits);
        Capabilities = AfterExec(record);
        (Seccomp, SeccompInstructions) = (record.Profile, record.FilterLength);
        (Landlock, SessionKeyring, Personality, Umask) = (record.Landlock, record.Keyring, (Personality)record.Personality, record.Umask);
        var limits = new SortedDictionary<ResourceLimit, LimitRange>();
        for (var i = 0; i < record.Limits.Length; i++)
            if (record.Limits[i] is { } range) limits.Add((ResourceLimit)i, range);
        (Limits, OomScoreAdjustment) = (limits.AsReadOnly(), record.OomScoreAdjustment);
        (MaskedPaths, ReadOnlyPaths) = ([.. KernelPaths.Hidden(record.ClosedPaths)], [.. KernelPaths.Unwritable(record.ClosedPaths)]);
    }

    /// <summary>The namespaces that are its own.</summary>
    public Namespaces Namespaces { get; }

    /// <summary>Its user id, as it sees it.</summary>
    public uint UserId { get; }

    /// <summary>Its group id, as it sees it.</summary>
    public uint GroupId { get; }

    /// <summary>The user ids that exist for it; empty without a user namespace, and in one that was joined.</summary>
    public IReadOnlyList<IdMapping> UserMap { get; } = [];

    /// <summary>The group ids that exist for it, likewise.</summary>
    public IReadOnlyList<IdMapping> GroupMap { get; } = [];

    /// <summary>It can make no user namespaces, whatever capabilities it has.</summary>
    public bool ForbidsNestedUserNamespaces { get; }

    /// <summary>No exec gains privileges.</summary>
    public bool NoNewPrivileges { get; }

    /// <summary>Its capability sets, exactly, unless the program file itself has some (setcap) or a set-user-ID bit that count.</summary>
    public CapabilitySets Capabilities { get; }

    /// <summary>How its capabilities follow user ids and execs.</summary>
    public SecureBits SecureBits { get; }

    /// <summary>What decides on its syscalls; null: nothing, but for filters that the host itself is under.</summary>
    public SeccompProfile? Seccomp { get; }

    /// <summary>How many instructions of BPF the profile has become in the kernel; 0 without one.</summary>
    public int SeccompInstructions { get; }

    /// <summary>What the kernel enforces of a Landlock policy; null without one.</summary>
    public LandlockReport? Landlock { get; }

    /// <summary>The session keyring it has.</summary>
    public SessionKeyring SessionKeyring { get; }

    /// <summary>The personality it was executed with.</summary>
    public Personality Personality { get; }

    /// <summary>The limits that were set; without an entry it is that of the host.</summary>
    public IReadOnlyDictionary<ResourceLimit, LimitRange> Limits { get; }

    /// <summary>The score for when memory is short, or null: that of the host.</summary>
    public int? OomScoreAdjustment { get; }

    /// <summary>The permission bits that its new files do not get.</summary>
    public int Umask { get; }

    /// <summary>Files and folders of /proc and /sys that are hidden: <see cref="FilesystemOptions.MaskKernelFiles"/>. What this kernel does not have is not among them.</summary>
    public IReadOnlyList<string> MaskedPaths { get; }

    /// <summary>Folders of /proc and /sys that were made read-only.</summary>
    public IReadOnlyList<string> ReadOnlyPaths { get; }

    /// <summary>All of it, a thing a line.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Line("namespaces", Namespaces + (ForbidsNestedUserNamespaces ? ", and no further user namespaces" : ""));
        Line("user", string.Create(CultureInfo.InvariantCulture, $"{UserId}, group {GroupId}"));
        if (UserMap.Count > 0) Line("user ids", string.Join(", ", UserMap.Select(Words)));
        if (GroupMap.Count > 0) Line("group ids", string.Join(", ", GroupMap.Select(Words)));
        Line("new privileges", NoNewPrivileges ? "none by exec" : "possible by exec");
        Line("capabilities", Capabilities.ToString());
        Line("securebits", SecureBits.ToString());
        Line("seccomp", Seccomp is null ? "no filter" : string.Create(CultureInfo.InvariantCulture,
            $"a profile of {Seccomp.Rules.Count} rules, otherwise {Seccomp.DefaultAction}; {SeccompInstructions} instructions"));
        Line("Landlock", Landlock?.ToString() ?? "no policy");
        Line("session keyring", SecurityText.Keyring(SessionKeyring));
        Line("personality", Personality.ToString());
        Line("limits", Limits.Count == 0 ? "the host's" : string.Join(", ", Limits.Select(static entry => $"{entry.Key} {entry.Value}")));
        if (OomScoreAdjustment is { } score) Line("OOM score", score.ToString(CultureInfo.InvariantCulture));
        Line("umask", "0" + Convert.ToString(Umask, 8));
        Line("masked", MaskedPaths.Count == 0 ? "nothing" : string.Join(' ', MaskedPaths));
        Line("read-only", ReadOnlyPaths.Count == 0 ? "nothing of the kernel" : string.Join(' ', ReadOnlyPaths));
        return text.ToString();

        void Line(string name, string value) => text.Append(name).Append(": ").Append(value).Append('\n');
    }

    private static string Words(IdMapping map) => string.Create(CultureInfo.InvariantCulture,
        $"{map.ShownId}{(map.Count > 1 ? $" and up, {map.Count} of them," : "")} as {map.HostId} of the host");

    /// <summary>capabilities(7), "Transformation of capabilities during execve()".</summary>
    private static CapabilitySets AfterExec(in EnforcementRecord record)
    {
        var known = (2ul << Host.LastCapability) - 1;
        var sets = record.Capabilities;
        // A new user namespace begins with all of them, and in the host's the set is inherited.
        var bounding = (record.Namespaces & Namespaces.User) != 0 ? known : Host.StatusMask("CapBnd");
        if (record.BoundsCapabilities) bounding &= ~sets.Withheld;
        var gains = record.UserId == 0 && (record.SecureBits & NoSpecialRoot) == 0;
        var permitted = !gains ? sets.Ambient : record.NoNewPrivileges ? sets.Permitted : bounding | sets.Inheritable;
        return new CapabilitySets
        {
            Permitted = (Capabilities)permitted, Effective = (Capabilities)permitted, Bounding = (Capabilities)bounding,
            Inheritable = (Capabilities)sets.Inheritable, Ambient = (Capabilities)sets.Ambient,
        };
    }
}
