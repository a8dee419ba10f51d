using FluentAssertions;
using Isolation.Tests.Hosts;
using Xunit;

namespace Isolation.Tests.Faults;

/// <summary>
/// Every step of the fullest plan fails, is killed, hangs until canceled, hangs until the time is up. In an app of its own, so
/// that what is compared (descriptors, threads, masks, children, mounts …) is nobody else's.
/// </summary>
public class FaultInjectionTests
{
    private const int Patience = 1_200_000;

    [Theory(Timeout = Patience)]
    [InlineData("faults")]
    [InlineData("faults", "no-init", "outlive")]
    [InlineData("faults", "suspended")]
    [InlineData("faults", "detached")]
    [InlineData("ignoring-sigchld", "faults", "monitor")]
    [InlineData("ignoring-sigchld", "faults", "monitor", "suspended")]
    [InlineData("faults", "enter", "suspended")]
    [InlineData("faults", "share", "no-init", "outlive")]
    [InlineData("ignoring-sigchld", "faults", "monitor", "enter")]
    public async Task Whatever_goes_wrong_at_any_step_leaves_the_host_as_it_was(params string[] arguments) =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, arguments)).Should().EndWith("fine\n");

    [Theory(Timeout = Patience)]
    [InlineData("faults")]
    [InlineData("faults", "enter")]
    public async Task Whatever_goes_wrong_at_any_step_leaves_an_ordinary_users_host_as_it_was(params string[] arguments)
    {
        Assert.SkipUnless(HostApp.IsRoot, "The tests run as an ordinary user, so the others show it already.");
        var output = await HostApp.RunAsync(TestContext.Current.CancellationToken, [.. HostApp.Ordinary, .. arguments]);
        output.Should().EndWith("fine\n");
    }
}
