using Xunit;

namespace Isolation.Tests.Support;

/// <summary>For tests that measure the whole test process: nothing else runs meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "Alone";
}
