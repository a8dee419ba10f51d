using Isolation.Filtering;

namespace Isolation;

/// <summary>Finds capability sets that no exec leaves a program with, whoever it is and whatever the host has.</summary>
internal static class CapabilityValidator
{
    private const SecureBits KnownBits = (SecureBits)0xfef;

    internal static void Validate(IsolationOptions options)
    {
        if (options.Security.Capabilities is not { } sets)
            throw OptionsValidator.Invalid(nameof(options.Security), "must not have null for Capabilities; CapabilitySets.None is none");
        if (sets.Effective != sets.Permitted)
            throw Invalid($"is effective but not permitted or the other way round: {Names(sets.Effective ^ sets.Permitted)}; exec makes the two sets equal");
        Within(sets.Permitted, "permitted", sets.Bounding, "bounding");
        Within(sets.Inheritable ?? Capabilities.None, "inheritable", sets.Bounding, "bounding");
        Within(sets.Ambient ?? Capabilities.None, "ambient", sets.Permitted, "permitted");
        if (sets.Inheritable is { } inheritable) Within(sets.Ambient ?? Capabilities.None, "ambient", inheritable, "inheritable");
        if ((options.Security.SecureBits & ~KnownBits) != 0)
            throw OptionsValidator.Invalid(nameof(options.Security), "has SecureBits that stand for nothing");
    }

    internal static ArgumentException Invalid(string problem) => OptionsValidator.Invalid(nameof(IsolationOptions.Security), "has Capabilities of which one " + problem);

    internal static string Names(Capabilities capabilities) => CapabilityNames.Of((ulong)capabilities);

    private static void Within(Capabilities set, string name, Capabilities limit, string limitName)
    {
        if ((set & ~limit) is not Capabilities.None and var outside) throw Invalid($"is in the {name} but not in the {limitName} set: {Names(outside)}");
    }
}
