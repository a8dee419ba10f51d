using System.Runtime.CompilerServices;
using Isolation.Launching;

namespace Isolation.Tests.Support;

/// <summary>The tests as on a kernel that lacks something: a run of them by another run, which sets this variable.</summary>
internal static class OlderKernel
{
    internal const string Variable = "ISOLATION_TEST_WITHOUT";
    internal const string MountSetattr = "mount_setattr";

    /// <summary>Mounts are restricted one by one, as before Linux 5.12.</summary>
    internal static bool LacksMountSetattr => Host.LacksMountSetattr;

    [ModuleInitializer]
    internal static void Force() => Host.ForceNoMountSetattr = Environment.GetEnvironmentVariable(Variable) == MountSetattr;
}
