using System.Globalization;
using System.Text.Json;

namespace Isolation.Filtering;

/// <summary>
/// Reads the JSON that Docker (moby's profiles) and OCI runtimes (linux.seccomp of a config.json) take, and gives it the meaning
/// that runc and libseccomp give it, on this machine.
/// </summary>
internal sealed class ProfileReader
{
    private readonly bool _ignoreUnknown;
    private readonly SeccompArchitecture _native;
    private readonly Version _kernel;

    private ProfileReader(bool ignoreUnknown, SeccompArchitecture native, Version kernel) =>
        (_ignoreUnknown, _native, _kernel) = (ignoreUnknown, native, kernel);

    /// <exception cref="FormatException">The text is no profile; the message names the place.</exception>
    internal static SeccompProfile Read(string json, bool ignoreUnknown, SeccompArchitecture native, Version kernel)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            return new ProfileReader(ignoreUnknown, native, kernel).Profile(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new FormatException($"The seccomp profile is no JSON (line {e.LineNumber + 1}): {e.Message}", e);
        }
    }

    private SeccompProfile Profile(JsonElement root)
    {
        Expect(root, JsonValueKind.Object, "the profile");
        CheckFields(root, "", "defaultAction", "defaultErrnoRet", "architectures", "archMap", "flags", "listenerPath", "listenerMetadata", "syscalls");
        foreach (var name in (ReadOnlySpan<string>)["listenerPath", "listenerMetadata"])
            if (Optional(root, name) is { } listener && listener.ValueKind == JsonValueKind.String && listener.GetString() != "")
                throw Bad(name, "is for a supervisor behind a socket; here the host itself answers calls");

        if (Optional(root, "defaultAction") is not { } action) throw Bad("defaultAction", "is missing");
        var otherwise = Action(action, Optional(root, "defaultErrnoRet"), "defaultAction", "defaultErrnoRet");
        var rules = new List<SeccompRule>();
        if (Optional(root, "syscalls") is { } syscalls)
        {
            Expect(syscalls, JsonValueKind.Array, "syscalls");
            var i = 0;
            foreach (var syscall in syscalls.EnumerateArray()) Rules(rules, syscall, otherwise, $"syscalls[{i++}]");
        }

        // libseccomp takes a rule without conditions for wider than those with some, wherever it stands.
        var ordered = rules.Where(static rule => rule.Conditions.Count == 0).Concat(rules.Where(static rule => rule.Conditions.Count > 0)).ToList();
        var isOpen = otherwise.Kind is SeccompActionKind.Allow or SeccompActionKind.Log or SeccompActionKind.Trace;
        if (!isOpen) ordered.AddRange(MissingAbove(ordered));
        var (logs, speculates) = Flags(root);
        return new SeccompProfile(otherwise, ordered)
        {
            UnknownAction = isOpen ? null : SeccompAction.Missing,
            Architectures = Architectures(root),
            LogsDenials = logs,
            AllowsSpeculation = speculates,
        };
    }

    /// <summary>runc has calls that are newer than all a profile names fail with ENOSYS, as the profile may not know of them.</summary>
    private IEnumerable<SeccompRule> MissingAbove(List<SeccompRule> rules)
    {
        var newest = rules.SelectMany(static rule => rule.Syscalls).Select(name => SyscallNames.Number(name, _native)).DefaultIfEmpty(-1).Max();
        string[] newer = [.. SyscallNames.All.Where(name => newest >= 0 && SyscallNames.Number(name, _native) > newest)];
        return newer.Length > 0 ? [new SeccompRule(SeccompAction.Missing, newer)] : [];
    }

    private void Rules(List<SeccompRule> rules, JsonElement syscall, SeccompAction otherwise, string place)
    {
        Expect(syscall, JsonValueKind.Object, place);
        CheckFields(syscall, place, "name", "names", "action", "errnoRet", "args", "comment", "includes", "excludes");
        if (Optional(syscall, "action") is not { } actionElement) throw Bad(place + ".action", "is missing");
        var action = Action(actionElement, Optional(syscall, "errnoRet"), place + ".action", place + ".errnoRet");
        var names = Names(syscall, place);
        var (required, none) = Filter(syscall, "includes", place, out var included);
        var (excluded, _) = Filter(syscall, "excludes", place, out var isExcluded);
        var conditions = Conditions(syscall, place);
        // runc leaves such rules out, so that they hide nothing from others
        if (!included || isExcluded || none || names.Count == 0 || action == otherwise) return;
        var rule = new SeccompRule(action, names) { RequiredCapabilities = required, ExcludedCapabilities = excluded };
        // runc takes several comparisons of one argument for alternatives; of several arguments, all must hold.
        if (conditions.Select(static condition => condition.Argument).Distinct().Count() < conditions.Count)
            rules.AddRange(conditions.Select(condition => rule with { Conditions = [condition] }));
        else
            rules.Add(rule with { Conditions = conditions });
    }

    private List<string> Names(JsonElement syscall, string place)
    {
        var result = new List<string>();
        if (Optional(syscall, "name") is { } single && Text(single, place + ".name") is { Length: > 0 } only)
        {
            if (Optional(syscall, "names") is { ValueKind: JsonValueKind.Array } both && both.GetArrayLength() > 0)
                throw Bad(place, "has both 'name' and 'names'");
            Add(only, place + ".name");
            return result;
        }

        if (Optional(syscall, "names") is not { } names) throw Bad(place + ".names", "is missing");
        Expect(names, JsonValueKind.Array, place + ".names");
        var i = 0;
        foreach (var name in names.EnumerateArray())
        {
            var where = $"{place}.names[{i++}]";
            Add(Text(name, where), where);
        }

        return result;

        void Add(string name, string where)
        {
            if (SyscallNames.IsKnown(name)) result.Add(name);
            else if (!_ignoreUnknown) throw new FormatException($"{where} of the seccomp profile: {SyscallNames.Unknown(name)}");
        }
    }

    /// <summary>
    /// Of "includes" everything must be so, of "excludes" nothing may. What depends on this machine is decided here; the
    /// capabilities are left to the rule. The second result: it asks for a capability that there is not.
    /// </summary>
    private (ulong Capabilities, bool IsImpossible) Filter(JsonElement syscall, string name, string place, out bool holds)
    {
        var includes = name == "includes";
        holds = includes;
        if (Optional(syscall, name) is not { } filter) return default;
        place += "." + name;
        Expect(filter, JsonValueKind.Object, place);
        CheckFields(filter, place, "caps", "arches", "minKernel");
        var machine = _native == SeccompArchitecture.X64 ? "amd64" : "arm64";
        string[] arches = [.. Strings(filter, "arches", place)];
        if (arches.Length > 0 && arches.Contains(machine) != includes) holds = !includes;
        if (Optional(filter, "minKernel") is { } kernel && Text(kernel, place + ".minKernel") is { Length: > 0 } text)
        {
            var parts = text.Split('.');
            if (parts.Length != 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
                || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var minor))
                throw Bad(place + ".minKernel", $"is '{text}', and should be of the form '4.8'");
            if (_kernel >= new Version(major, minor) != includes) holds = !includes;
        }

        var (mask, impossible) = (0ul, false);
        var i = 0;
        foreach (var capability in Strings(filter, "caps", place))
        {
            var number = CapabilityNames.Number(capability);
            if (number < 0 && !_ignoreUnknown) throw Bad($"{place}.caps[{i}]", $"is '{capability}', which is no capability");
            if (number >= 0) mask |= 1ul << number;
            else impossible = true;
            i++;
        }

        return (mask, impossible);
    }

    private List<SeccompCondition> Conditions(JsonElement syscall, string place)
    {
        var result = new List<SeccompCondition>();
        if (Optional(syscall, "args") is not { } arguments) return result;
        place += ".args";
        Expect(arguments, JsonValueKind.Array, place);
        foreach (var argument in arguments.EnumerateArray())
        {
            var where = $"{place}[{result.Count}]";
            Expect(argument, JsonValueKind.Object, where);
            CheckFields(argument, where, "index", "value", "valueTwo", "op");
            var index = Number(argument, "index", where);
            if (index > 5) throw Bad(where + ".index", $"is {index}; arguments are 0 to 5");
            var value = Number(argument, "value", where);
            var second = Number(argument, "valueTwo", where);
            if (Optional(argument, "op") is not { } op) throw Bad(where + ".op", "is missing");
            result.Add(Text(op, where + ".op") switch
            {
                "SCMP_CMP_NE" => new((int)index, SeccompOperator.NotEqual, value),
                "SCMP_CMP_LT" => new((int)index, SeccompOperator.Less, value),
                "SCMP_CMP_LE" => new((int)index, SeccompOperator.LessOrEqual, value),
                "SCMP_CMP_EQ" => new((int)index, SeccompOperator.Equal, value),
                "SCMP_CMP_GE" => new((int)index, SeccompOperator.GreaterOrEqual, value),
                "SCMP_CMP_GT" => new((int)index, SeccompOperator.Greater, value),
                // libseccomp takes only those bits of the second value that the mask has
                "SCMP_CMP_MASKED_EQ" => SeccompCondition.MaskedEqual((int)index, value, second & value),
                var unknown => throw Bad(where + ".op", $"is '{unknown}', which is no comparison"),
            });
        }

        return result;
    }

    private static SeccompAction Action(JsonElement action, JsonElement? data, string place, string dataPlace)
    {
        var name = Text(action, place);
        if (data is { } element && name is "SCMP_ACT_ERRNO" or "SCMP_ACT_TRACE")
        {
            var limit = name == "SCMP_ACT_ERRNO" ? 4095u : ushort.MaxValue;
            if (data.Value.ValueKind != JsonValueKind.Number || !data.Value.TryGetUInt32(out var number) || number > limit)
                throw Bad(dataPlace, $"must be a number from 0 to {limit}");
            return name == "SCMP_ACT_ERRNO" ? SeccompAction.Errno((int)number) : SeccompAction.Trace((ushort)number);
        }

        if (data is not null) throw Bad(dataPlace, $"means nothing for {name}");
        return name switch
        {
            "SCMP_ACT_ALLOW" => SeccompAction.Allow,
            "SCMP_ACT_ERRNO" => SeccompAction.Deny,
            "SCMP_ACT_TRACE" => SeccompAction.Trace((ushort)Interop.Errno.EPERM),
            "SCMP_ACT_KILL" or "SCMP_ACT_KILL_THREAD" => SeccompAction.KillThread,
            "SCMP_ACT_KILL_PROCESS" => SeccompAction.KillProcess,
            "SCMP_ACT_TRAP" => SeccompAction.Trap,
            "SCMP_ACT_LOG" => SeccompAction.Log,
            "SCMP_ACT_NOTIFY" => SeccompAction.Notify,
            _ => throw Bad(place, $"is '{name}', which is no action"),
        };
    }

    private List<SeccompArchitecture> Architectures(JsonElement root)
    {
        var result = new List<SeccompArchitecture>();
        var i = 0;
        foreach (var name in Strings(root, "architectures", "")) Add(name, $"architectures[{i++}]");
        if (Optional(root, "archMap") is not { } map) return result;
        if (i > 0) throw Bad("archMap", "and 'architectures' exclude each other");
        Expect(map, JsonValueKind.Array, "archMap");
        foreach (var entry in map.EnumerateArray())
        {
            var place = $"archMap[{i++}]";
            Expect(entry, JsonValueKind.Object, place);
            CheckFields(entry, place, "architecture", "subArchitectures");
            if (Optional(entry, "architecture") is not { } own) throw Bad(place + ".architecture", "is missing");
            if (Architecture(Text(own, place + ".architecture"), place + ".architecture") != _native) continue;
            var k = 0;
            foreach (var name in Strings(entry, "subArchitectures", place)) Add(name, $"{place}.subArchitectures[{k++}]");
        }

        return result;

        void Add(string name, string place)
        {
            if (Architecture(name, place) is { } architecture && architecture != _native && !result.Contains(architecture)) result.Add(architecture);
        }
    }

    private SeccompArchitecture? Architecture(string name, string place)
    {
        switch (name)
        {
            case "SCMP_ARCH_X86_64": return SeccompArchitecture.X64;
            case "SCMP_ARCH_X86": return SeccompArchitecture.X86;
            case "SCMP_ARCH_X32": return SeccompArchitecture.X32;
            case "SCMP_ARCH_AARCH64": return SeccompArchitecture.Arm64;
            case "SCMP_ARCH_ARM": return SeccompArchitecture.Arm;
        }

        string[] others = ["MIPS", "PPC", "S390", "RISCV", "LOONGARCH", "PARISC", "M68K", "SH"];
        if (_ignoreUnknown || others.Any(other => name.StartsWith("SCMP_ARCH_" + other, StringComparison.Ordinal))) return null;
        throw Bad(place, $"is '{name}', which is no architecture");
    }

    private (bool Logs, bool Speculates) Flags(JsonElement root)
    {
        if (Optional(root, "flags") is null) return (false, true); // runc's default is SPEC_ALLOW alone
        var (logs, speculates, i) = (false, false, 0);
        foreach (var flag in Strings(root, "flags", ""))
        {
            switch (flag)
            {
                case "SECCOMP_FILTER_FLAG_LOG":
                    logs = true;
                    break;
                case "SECCOMP_FILTER_FLAG_SPEC_ALLOW":
                    speculates = true;
                    break;
                case "SECCOMP_FILTER_FLAG_TSYNC":
                    break; // for all threads of a process, which has one here
                default:
                    if (_ignoreUnknown) break;
                    throw Bad($"flags[{i}]", $"is '{flag}', which means nothing here");
            }

            i++;
        }

        return (logs, speculates);
    }

    private void CheckFields(JsonElement element, string place, params ReadOnlySpan<string> known)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in element.EnumerateObject())
        {
            var where = place.Length > 0 ? $"{place}.{field.Name}" : field.Name;
            if (!known.Contains(field.Name) && !_ignoreUnknown) throw Bad(where, "is no field of a profile");
            if (!seen.Add(field.Name)) throw Bad(where, "is there twice");
        }
    }

    private static ulong Number(JsonElement element, string name, string place)
    {
        if (Optional(element, name) is not { } number) return 0; // as Go has it
        return number.ValueKind == JsonValueKind.Number && number.TryGetUInt64(out var value) ? value
            : throw Bad($"{place}.{name}", "must be a whole number from 0 to 18446744073709551615");
    }

    private static List<string> Strings(JsonElement element, string name, string place)
    {
        var result = new List<string>();
        if (Optional(element, name) is not { } array) return result;
        var where = place.Length > 0 ? $"{place}.{name}" : name;
        Expect(array, JsonValueKind.Array, where);
        foreach (var item in array.EnumerateArray()) result.Add(Text(item, $"{where}[{result.Count}]"));
        return result;
    }

    /// <summary>Null is the same as absent, as it is to Go.</summary>
    private static JsonElement? Optional(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string Text(JsonElement element, string place) =>
        element.ValueKind == JsonValueKind.String ? element.GetString()! : throw Bad(place, "must be a text");

    private static void Expect(JsonElement element, JsonValueKind kind, string place)
    {
        if (element.ValueKind != kind) throw Bad(place, kind == JsonValueKind.Array ? "must be an array" : "must be an object");
    }

    private static FormatException Bad(string place, string problem) => new($"{place} of the seccomp profile {problem}.");
}
