using System.Globalization;
using System.Text;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>Looks at the process we run in.</summary>
internal static class Host
{
    private static readonly Retried<Fixed> s_fixed = new(Look);
    private static readonly Retried<bool> s_reapsEverything = new(ReapProbe.Run);
    // Field NSpid has a number for each namespace from that of the procfs down to our own.
    private static readonly Retried<bool> s_procIsForeign = new(static () => Status("NSpid") is { } numbers && numbers != Number(Kernel.getpid()));

    private sealed record Fixed(int LastCapability, string UserMap, string GroupMap, ulong IgnoredSignals, bool DeniesSetgroups, bool MayFixAddresses, bool LacksMountSetattr, bool LacksKeyrings);

    internal static HostFacts Facts(IsolationOptions options)
    {
        var known = s_fixed.Value;
        return new HostFacts(Kernel.geteuid(), Kernel.getegid(), Kernel.EffectiveCapabilities(), known.LastCapability, known.UserMap, known.GroupMap,
            known.IgnoredSignals, s_reapsEverything.Value || ReapProbe.IsReapedByKernel())
        {
            DeniesSetgroups = known.DeniesSetgroups,
            RootLacksMountPoints = RootProbe.LacksMountPoints(options),
            MayFixAddresses = known.MayFixAddresses,
            LacksKeyrings = known.LacksKeyrings,
            Landlock = options.Security.Landlock is { } policy ? LandlockSupport.Check(policy) : null,
            Personality = (uint)Kernel.personality(Kernel.SamePersonality),
        };
    }

    /// <summary>/proc is that of another PID namespace than this process's.</summary>
    internal static bool ProcIsForeign => s_procIsForeign.Value;

    /// <summary>For tests: as if mount_setattr had answered ENOSYS.</summary>
    internal static bool ForceNoMountSetattr { get; set; }

    /// <summary>The kernel is older than 5.12, or an outer sandbox hides the call.</summary>
    internal static bool LacksMountSetattr => ForceNoMountSetattr || s_fixed.Value.LacksMountSetattr;

    /// <summary>The highest capability of this kernel.</summary>
    internal static int LastCapability => s_fixed.Value.LastCapability;

    /// <summary>A field of /proc/self/status.</summary>
    internal static string? Status(string field) => Field("/proc/self/status", field);

    internal static ulong StatusMask(string field) =>
        ulong.TryParse(Status(field), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value) ? value : 0;

    /// <summary>
    /// The number that /proc has for a process: another one than ours when it is the procfs of another PID namespace, as in
    /// an app below <c>unshare --pid --fork</c>. 0 when it has none.
    /// </summary>
    internal static int NumberInProc(int pid, int pidfd)
    {
        if (!s_procIsForeign.Value) return pid;
        return int.TryParse(Field($"/proc/self/fdinfo/{Number(pidfd)}", "Pid"), CultureInfo.InvariantCulture, out var number) && number > 0 ? number : 0;
    }

    /// <summary>A kernel setting such as "user/max_user_namespaces", or null where there is none.</summary>
    internal static string? Setting(string name)
    {
        try
        {
            return File.ReadAllText("/proc/sys/" + name).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static unsafe Fixed Look()
    {
        var lastCapability = int.TryParse(Setting("kernel/cap_last_cap"), CultureInfo.InvariantCulture, out var last) ? last : 40;
        var nothing = default(mount_attr);
        var found = new Fixed(lastCapability, IdentityMap("/proc/self/uid_map"), IdentityMap("/proc/self/gid_map"), StatusMask("SigIgn"),
            ReadLines("/proc/self/setgroups").Any(static line => line == "deny"), MayFixAddresses(),
            Kernel.mount_setattr(-1, Linux.AT_EMPTY_PATH, &nothing) == -(int)Errno.ENOSYS, LacksKeyrings());
        // What could not be read for want of a descriptor must not be taken for absent, and be remembered as such.
        var fd = Kernel.open("/proc/self/status", Linux.O_RDONLY);
        if (fd >= 0) _ = Kernel.close(fd);
        else if (fd is -(int)Errno.EMFILE or -(int)Errno.ENFILE) throw LaunchFailure.Host("look at the host", "openat", -fd, "/proc/self/status");
        return found;
    }

    /// <summary>
    /// Whether personality(2) may be told ADDR_NO_RANDOMIZE and be told otherwise again: outer sandboxes forbid it (Docker's
    /// profile does). This thread has it for a moment, which means nothing to who execs nothing.
    /// </summary>
    private static bool MayFixAddresses()
    {
        var persona = Kernel.personality(Kernel.SamePersonality);
        return persona >= 0 && Kernel.personality((uint)persona | Linux.ADDR_NO_RANDOMIZE) >= 0 && Kernel.personality((uint)persona) >= 0;
    }

    /// <summary>All that has to do with keys is missing, and not only what an outer sandbox hides of it.</summary>
    private static bool LacksKeyrings() =>
        Kernel.Call(Sys.keyctl, Linux.KEYCTL_GET_KEYRING_ID, Linux.KEY_SPEC_SESSION_KEYRING) == -(int)Errno.ENOSYS
        && Kernel.Call(Sys.add_key) == -(int)Errno.ENOSYS && Kernel.Call(Sys.request_key) == -(int)Errno.ENOSYS;

    /// <summary>Every id that exists here under its own number: in a container the ids may come in several ranges.</summary>
    private static string IdentityMap(string path)
    {
        var map = new StringBuilder();
        foreach (var line in ReadLines(path))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 3) map.Append(CultureInfo.InvariantCulture, $"{fields[0]} {fields[0]} {fields[2]}\n");
        }

        return map.Length > 0 ? map.ToString() : "0 0 4294967295\n";
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    internal static string? Field(string path, string field)
    {
        var prefix = field + ":";
        foreach (var line in ReadLines(path))
            if (line.StartsWith(prefix, StringComparison.Ordinal)) return line[prefix.Length..].Trim();
        return null;
    }

    private static IEnumerable<string> ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
