using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Isolation.Interop;
using Isolation.Stage;
using Xunit;

namespace Isolation.Tests.Interop;

/// <summary>What the encoder and the launcher believe of the stage and the stub, as claims about the headers in src/Isolation.Stage.</summary>
internal static partial class StageHeaders
{
    private static readonly Dictionary<Type, NativeStruct> s_structs = new()
    {
        [typeof(ProgramHeader)] = new()
        {
            CType = "struct program", Fields = Renamed<ProgramHeader>(("StatusDescriptor", "status_fd"), ("Registers", "reg")),
        },
        [typeof(EncodedStep)] = new()
        {
            CType = "struct step",
            Fields = Renamed<EncodedStep>(("RegisterArguments", "registers"), ("Number", "nr"), ("Arguments", "arg"), ("RepeatArgument", "repeat_arg")),
            Untyped = ["Tolerated"],
        },
        [typeof(ListedProcess)] = new() { CType = "struct listed", Fields = Renamed<ListedProcess>() },
        [typeof(SpawnArguments)] = new()
        {
            CType = "struct spawn",
            Fields = Renamed<SpawnArguments>(
                ("Arguments", "args"), ("ArgumentsSize", "size"), ("CloseRanges", "ranges"), ("CloseRangeCount", "range_count"),
                ("StageDescriptor", "stage_fd")),
        },
    };

    /// <summary>Constants that the stage need not know.</summary>
    private static readonly string[] s_oneSided = ["DataOffset"];

    internal static CSource[] Sources()
    {
        SkipWithout("stage.h");
        SkipWithout("stub.h");
        return
        [
            new("#include <stddef.h>\n#include \"stage.h\"", [.. Constants(), .. Structs(typeof(ProgramHeader), typeof(EncodedStep), typeof(ListedProcess))]),
            new("#include <stddef.h>\n#include \"stub.h\"", [.. Structs(typeof(SpawnArguments)), .. StubOffsets()]),
        ];
    }

    /// <summary>What stage and stub know of the kernel themselves: the syscalls' numbers, and for the stub struct clone_args.</summary>
    internal static CSource[] KernelNumbers()
    {
        SkipWithout("syscalls.h");
        SkipWithout("stub.h");
        var cloneArguments =
            from name in Names("stub.h", "CLONE_ARGS_")
            select new CAssertion(name, $"{name} == offsetof(struct clone_args, {name["CLONE_ARGS_".Length..].ToLowerInvariant()})");
        return
        [
            new("#include <asm/unistd.h>\n#include \"syscalls.h\"", [.. Syscalls("syscalls.h", "SYS_")]),
            new("#include <asm/unistd.h>\n#include <linux/sched.h>\n#include <stddef.h>\n#include \"stub.h\"",
                [.. Syscalls("stub.h", "NR_"), .. cloneArguments]),
        ];

        static IEnumerable<CAssertion> Syscalls(string header, string prefix) =>
            Names(header, prefix).Select(name => new CAssertion(name, $"__NR_{name[prefix.Length..]} == {name}"));
    }

    /// <summary>Every name in one of the headers that begins like this.</summary>
    internal static string[] Names(string header, string prefix)
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, header));
        return [.. Regex.Matches(text, $@"\b{prefix}\w+").Select(match => match.Value).Distinct()];
    }

    internal static IEnumerable<FieldInfo> DeclaredConstants =>
        typeof(StageFormat).GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(constant => constant.IsLiteral && !s_oneSided.Contains(constant.Name));

    internal static string CName(FieldInfo constant)
    {
        var name = SnakeCase(constant.Name).ToUpperInvariant();
        return name.StartsWith("OP_", StringComparison.Ordinal) || name.StartsWith("SUPERVISE_", StringComparison.Ordinal) ||
            name.StartsWith("LISTED_", StringComparison.Ordinal) ? name : "STAGE_" + name;
    }

    private static void SkipWithout(string header) =>
        Assert.SkipUnless(File.Exists(Path.Combine(AppContext.BaseDirectory, header)), $"{header} is missing beside the tests");

    private static IEnumerable<CAssertion> Constants() =>
        from field in DeclaredConstants
        let value = ((IFormattable)field.GetRawConstantValue()!).ToString(null, CultureInfo.InvariantCulture)
        select new CAssertion(field.Name, $"{CName(field)} == {value}{(field.FieldType == typeof(ulong) ? "ul" : "")}");

    private static IEnumerable<CAssertion> Structs(params Type[] types) => types.SelectMany(type => s_structs[type].Compare(type));

    /// <summary>The assembler knows fields by number: SPAWN_X is where struct spawn has x.</summary>
    private static IEnumerable<CAssertion> StubOffsets() =>
        from name in Names("stub.h", "SPAWN_")
        select new CAssertion(name, $"{name} == offsetof(struct spawn, {name["SPAWN_".Length..].ToLowerInvariant()})");

    private static Dictionary<string, string> Renamed<T>(params (string Ours, string Theirs)[] differing)
    {
        var names = ManagedLayout.Fields(typeof(T)).ToDictionary(field => field.Name, field => SnakeCase(field.Name));
        foreach (var (ours, theirs) in differing)
            names[ours] = names.ContainsKey(ours) ? theirs : throw new ArgumentException($"{typeof(T).Name} has no {ours}.", nameof(differing));
        return names;
    }

    private static string SnakeCase(string name) => WordStart().Replace(name, "_$0").ToLowerInvariant();

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex WordStart();
}
