namespace Isolation.Tests.Interop;

/// <summary>What one of our structs is in C, where that is more than <c>struct name</c> with the same fields.</summary>
internal sealed record NativeStruct
{
    /// <summary>The C type.</summary>
    internal required string CType { get; init; }

    /// <summary>Its size, where the headers' struct may have grown since the version that we pass to the kernel.</summary>
    internal string? Size { get; init; }

    /// <summary>Fields of ours whose C name is another; an empty name excludes the field.</summary>
    internal Dictionary<string, string> Fields { get; init; } = [];

    /// <summary>Fields of ours that are a number where C has a pointer or an array: position and size are compared, signedness is not.</summary>
    internal HashSet<string> Untyped { get; init; } = [];

    /// <summary>See <see cref="CAssertion"/>.</summary>
    internal Version? Since { get; init; }

    /// <inheritdoc cref="Since"/>
    internal string? Macro { get; init; }

    internal IEnumerable<CAssertion> Compare(Type type)
    {
        yield return Claim($"sizeof({type.Name})", $"{Size ?? $"sizeof({CType})"} == {ManagedLayout.SizeOf(type)}");
        foreach (var field in ManagedLayout.Fields(type))
        {
            var name = Fields.GetValueOrDefault(field.Name, field.Name);
            var member = $"(({CType} *)0)->{name}";
            yield return Claim($"offsetof({type.Name}, {field.Name})", $"offsetof({CType}, {name}) == {ManagedLayout.OffsetOf(field)}");
            yield return Claim($"sizeof({type.Name}.{field.Name})", $"sizeof({member}) == {ManagedLayout.SizeOf(field)}");
            if (ManagedLayout.IsSigned(field.FieldType) is { } signed && !Untyped.Contains(field.Name))
                yield return Claim($"signed({type.Name}.{field.Name})", $"((__typeof__({member}))-1 < 0) == {(signed ? 1 : 0)}");
        }
    }

    private CAssertion Claim(string name, string expression) => new(name, expression, Since, Macro);
}
