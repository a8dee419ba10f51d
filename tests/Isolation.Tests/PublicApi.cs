using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Isolation.Tests;

/// <summary>Writes an assembly's public surface down, one member a line, in an order that depends on names only.</summary>
internal static class PublicApi
{
    private static readonly NullabilityInfoContext s_nullability = new();

    private static readonly Dictionary<Type, string> s_keywords = new()
    {
        [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(sbyte)] = "sbyte", [typeof(short)] = "short", [typeof(ushort)] = "ushort",
        [typeof(int)] = "int", [typeof(uint)] = "uint", [typeof(long)] = "long", [typeof(ulong)] = "ulong", [typeof(nint)] = "nint",
        [typeof(nuint)] = "nuint", [typeof(char)] = "char", [typeof(float)] = "float", [typeof(double)] = "double", [typeof(decimal)] = "decimal",
        [typeof(string)] = "string", [typeof(object)] = "object", [typeof(void)] = "void",
    };

    internal static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Header(type)).Append('\n');
            foreach (var (_, line) in Members(type).Order(Comparer<(string Name, string Line)>.Create(Compare)))
                text.Append("    ").Append(line).Append('\n');
            text.Append('\n');
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static int Compare((string Name, string Line) a, (string Name, string Line) b) =>
        string.CompareOrdinal(a.Name, b.Name) is var order and not 0 ? order : string.CompareOrdinal(a.Line, b.Line);

    private static string Header(Type type)
    {
        var kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
            : (IsRecord(type) ? "record " : "") + (type.IsValueType ? "struct" : "class");
        var modifiers = type.IsEnum || type.IsInterface ? ""
            : type.IsValueType ? (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "") + (type.IsByRefLike ? "ref " : "")
            : type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "";
        var bases = new List<string>();
        if (type.IsEnum) bases.Add(Name(type.GetEnumUnderlyingType()));
        else if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType)) bases.Add(Name(parent));
        if (!type.IsEnum)
            bases.AddRange(type.GetInterfaces().Except(type.BaseType?.GetInterfaces() ?? []).Select(implemented => Name(implemented)).Order(StringComparer.Ordinal));
        var flags = type.IsDefined(typeof(FlagsAttribute)) ? "[Flags] " : "";
        return $"{flags}{modifiers}{kind} {FullName(type)}{(bases.Count > 0 ? " : " + string.Join(", ", bases) : "")}";
    }

    private static IEnumerable<(string Name, string Line)> Members(Type type)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (var field in type.GetFields(Declared).Where(field => (field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly) && !field.IsSpecialName))
        {
            var value = field.IsLiteral ? Convert.ToString(field.GetRawConstantValue(), CultureInfo.InvariantCulture) : null;
            var modifiers = field.IsLiteral ? "const " : (field.IsStatic ? "static " : "") + (field.IsInitOnly ? "readonly " : "");
            // An enum's members are in the order of their values.
            if (type.IsEnum) yield return (value!.PadLeft(20), $"{field.Name} = {value}");
            else yield return (field.Name, $"{modifiers}{Name(field.FieldType, s_nullability.Create(field), field)} {field.Name}" + (value is null ? "" : " = " + value));
        }

        foreach (var constructor in type.GetConstructors(Declared).Where(IsVisible)) yield return ("", $"{Access(constructor)}new({Parameters(constructor)})");
        foreach (var property in type.GetProperties(Declared))
        {
            var accessors = property.GetAccessors(nonPublic: true).Where(IsVisible).ToArray();
            if (accessors.Length == 0) continue;
            var required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
            var index = property.GetIndexParameters().Length > 0 ? $"[{string.Join(", ", property.GetIndexParameters().Select(Parameter))}]" : "";
            var kind = Name(property.PropertyType, s_nullability.Create(property), property);
            var getAndSet = string.Concat(accessors.OrderBy(accessor => accessor.ReturnType == typeof(void)).Select(Accessor));
            yield return (property.Name, $"{Modifiers(accessors[0])}{required}{kind} {property.Name}{index} {{ {getAndSet}}}");
        }

        foreach (var added in type.GetEvents(Declared).Where(e => IsVisible(e.AddMethod!)))
            yield return (added.Name, $"{Access(added.AddMethod!)}{Modifiers(added.AddMethod!)}event {Name(added.EventHandlerType!)} {added.Name}");
        foreach (var method in type.GetMethods(Declared).Where(IsVisible))
        {
            if (method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal)) continue;
            // What the compiler gives every record goes without saying.
            if (method.IsDefined(typeof(CompilerGeneratedAttribute)) && method.Name != "Deconstruct") continue;
            var generics = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";
            var result = Name(method.ReturnType, s_nullability.Create(method.ReturnParameter), method.ReturnParameter);
            yield return (method.Name, $"{Access(method)}{Modifiers(method)}{result} {method.Name}{generics}({Parameters(method)})");
        }
    }

    private static bool IsRecord(Type type) => type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance) is not null;

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Modifiers(MethodInfo method) =>
        method.IsStatic ? "static "
        : method.DeclaringType!.IsInterface ? ""
        : method.GetBaseDefinition() != method ? "override "
        : method.IsAbstract ? "abstract "
        : method is { IsVirtual: true, IsFinal: false } ? "virtual " : "";

    private static string Accessor(MethodInfo accessor) =>
        Access(accessor)
        + (accessor.ReturnType != typeof(void) ? "get; "
            : accessor.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? "init; " : "set; ");

    private static string Parameters(MethodBase method) =>
        (method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "") + string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        var direction = parameter.IsOut ? "out " : parameter.ParameterType.IsByRef ? parameter.IsIn ? "in " : "ref " : "";
        var many = parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) ? "params " : "";
        var otherwise = parameter.HasDefaultValue ? " = " + Default(parameter) : "";
        return $"{direction}{many}{Name(parameter.ParameterType, s_nullability.Create(parameter), parameter)} {parameter.Name}{otherwise}";
    }

    private static string Default(ParameterInfo parameter) => parameter.RawDefaultValue switch
    {
        null => parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null ? "default" : "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        var value => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Name(Type type, NullabilityInfo? nullability, ICustomAttributeProvider declaration)
    {
        // The names of a tuple's elements, outer tuples first.
        var attribute = (TupleElementNamesAttribute?)declaration.GetCustomAttributes(typeof(TupleElementNamesAttribute), inherit: false).SingleOrDefault();
        return Name(type, nullability, new Queue<string?>(attribute?.TransformNames ?? []));
    }

    private static string Name(Type type, NullabilityInfo? nullability = null, Queue<string?>? tupleNames = null)
    {
        if (type.IsByRef) type = type.GetElementType()!;
        if (Nullable.GetUnderlyingType(type) is { } value) return Name(value, null, tupleNames) + "?";
        var question = nullability?.ReadState == NullabilityState.Nullable && !type.IsValueType ? "?" : "";
        if (type.IsArray) return Name(type.GetElementType()!, nullability?.ElementType, tupleNames) + "[]" + question;
        if (!type.IsGenericType) return s_keywords.GetValueOrDefault(type, type.Name) + question;

        var inner = nullability?.GenericTypeArguments ?? [];
        var isTuple = type.IsAssignableTo(typeof(ITuple)) && type.IsValueType;
        var arguments = type.GetGenericArguments();
        var names = arguments.Select(_ => isTuple && tupleNames?.Count > 0 ? tupleNames.Dequeue() : null).ToArray();
        var parts = arguments.Select((argument, i) =>
            Name(argument, i < inner.Length ? inner[i] : null, tupleNames) + (names[i] is { } name ? " " + name : "")).ToArray();
        return isTuple
            ? $"({string.Join(", ", parts)})"
            : $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", parts)}>{question}";
    }

    private static string FullName(Type type) => $"{type.Namespace}.{(type.DeclaringType is { } outer ? outer.Name + "." : "")}{Name(type)}";
}
