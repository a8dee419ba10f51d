using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Identities;

/// <summary>The ids that /etc/subuid and /etc/subgid grant the user who runs the tests.</summary>
internal static class Subordinate
{
    /// <summary>Skips where an ordinary user could not map them, or no ordinary user runs the test.</summary>
    internal static (IReadOnlyList<IdMapping> Users, IReadOnlyList<IdMapping> Groups) Require()
    {
        Assert.SkipWhen(Privilege.CanMapEverything, "This user needs no newuidmap; the tests as an ordinary user show it.");
        Assert.SkipUnless(File.Exists("/usr/bin/newuidmap"), "newuidmap is not installed (package uidmap).");
        try
        {
            return (SubordinateIds.UserMap(), SubordinateIds.GroupMap());
        }
        catch (IsolationException error)
        {
            Assert.Skip($"This user has no subordinate ids: {error.Message}");
            throw;
        }
    }
}
