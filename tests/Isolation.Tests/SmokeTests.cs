using FluentAssertions;
using Xunit;

namespace Isolation.Tests;

public class SmokeTests
{
    [Fact(Timeout = 30_000)]
    public async Task A_program_is_process_1_of_its_own_namespace()
    {
        var result = await IsolatedProcess.RunAndCaptureTextAsync(new IsolationOptions("sh", "-c", "echo $$; uname -n") { HostName = "box" }, TestContext.Current.CancellationToken);
        result.StandardOutput.Should().Be("1\nbox\n");
        result.ExitStatus.ExitCode.Should().Be(0);
        result.StandardError.Should().BeEmpty();
    }
}
