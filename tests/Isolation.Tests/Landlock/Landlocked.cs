using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>Programs under a Landlock policy, each of which is to succeed without one.</summary>
internal static class Landlocked
{
    /// <summary>Where this machine's programs and their libraries are.</summary>
    private static readonly string[] s_installed = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/nix", "/gnu"];

    /// <summary>Handles nothing: a start for a test that is about one thing.</summary>
    internal static LandlockPolicy Nothing { get; } = new()
    {
        HandledAccess = LandlockAccess.None, HandledNetworkAccess = LandlockNetworkAccess.None, Scopes = LandlockScopes.None,
    };

    /// <summary>Everything that this kernel knows, and what is installed can be executed.</summary>
    internal static LandlockPolicy Everything => LandlockPolicy.ForAbi(Math.Clamp(LandlockPolicy.KernelAbi, 1, 7)).WithInstalled(LandlockAccess.ReadExecute);

    internal static LandlockPolicy WithInstalled(this LandlockPolicy policy, LandlockAccess access) =>
        s_installed.Aggregate(policy, (result, path) => result.AllowPath(path, access, ignoreMissing: true));

    internal static void Require(int abi) =>
        Assert.SkipUnless(LandlockPolicy.KernelAbi >= abi, $"The kernel's Landlock has ABI {LandlockPolicy.KernelAbi}, and this needs {abi}.");

    /// <summary>A script on the host itself: Landlock alone.</summary>
    internal static IsolationOptions Alone(LandlockPolicy? policy, string script, params IEnumerable<string> arguments)
    {
        var options = Sandbox.Shell(script, arguments);
        options.Namespaces = Namespaces.None;
        options.Security.Landlock = policy;
        return options;
    }

    internal static async Task Succeeds(IsolationOptions options)
    {
        var result = await IsolatedProcess.RunAndCaptureTextAsync(options, TestContext.Current.CancellationToken);
        result.ExitStatus.ToString().Should().Be("exit code 0", "it wrote {0}{1}", result.StandardOutput, result.StandardError);
    }

    /// <summary>EACCES, EPERM or EXDEV, as the program itself says.</summary>
    internal static async Task IsDenied(IsolationOptions options)
    {
        var result = await IsolatedProcess.RunAndCaptureTextAsync(options, TestContext.Current.CancellationToken);
        result.ExitStatus.ExitCode.Should().NotBe(0, "it wrote {0}", result.StandardOutput);
        result.StandardError.Should().MatchRegex("(?i)permission denied|not permitted|cross-device");
    }
}
