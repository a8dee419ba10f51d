using System.Runtime.InteropServices;

namespace Isolation.Filtering;

/// <summary>
/// What a profile was compiled to, for the capabilities that its rules distinguish. Looking something up that is there
/// allocates nothing and takes no lock.
/// </summary>
internal sealed class FilterCache
{
    private readonly Lock _lock = new();
    private volatile Entry? _first;

    private sealed record Entry(ulong Capabilities, CompiledFilter Filter, Entry? Next);

    internal static SeccompArchitecture Native { get; } =
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? SeccompArchitecture.Arm64 : SeccompArchitecture.X64;

    internal CompiledFilter Get(SeccompProfile profile, ulong capabilities)
    {
        capabilities &= profile.DistinguishedCapabilities;
        return Find(capabilities) ?? Make(profile, capabilities);
    }

    private CompiledFilter? Find(ulong capabilities)
    {
        for (var entry = _first; entry is not null; entry = entry.Next)
            if (entry.Capabilities == capabilities) return entry.Filter;
        return null;
    }

    private CompiledFilter Make(SeccompProfile profile, ulong capabilities)
    {
        lock (_lock)
        {
            if (Find(capabilities) is { } made) return made;
            var filter = FilterCompiler.Compile(profile, Native, capabilities);
            _first = new Entry(capabilities, filter, _first);
            return filter;
        }
    }
}
