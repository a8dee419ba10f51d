using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Interop;
using Isolation.Launching;
using Xunit;

namespace Isolation.Tests;

/// <summary>What a child needs has low numbers, however many descriptors the host has open: see <see cref="LowDescriptors"/>.</summary>
public sealed class LowDescriptorTests
{
    private const int Many = 1500;

    [Fact]
    public void A_high_descriptor_gets_a_low_number_until_it_is_returned()
    {
        _ = IsolatedProcess.Run(new IsolationOptions("true")); // reserves them
        using var crowd = new Crowd();
        using var file = File.OpenHandle("/proc/self/status");
        var high = (int)file.DangerousGetHandle();
        high.Should().BeGreaterThan(Many);

        var taken = 0L;
        var low = LowDescriptors.Park(high, ref taken);
        low.Should().BeLessThan(Many);
        Link(low).Should().Be(Link(high));
        Kernel.fcntl(low, Linux.F_GETFD).Should().Be(1, "no other program that the host starts may get it");
        LowDescriptors.Park(low, ref taken).Should().Be(low, "it has a low number");

        LowDescriptors.Return(ref taken);
        taken.Should().Be(0);
        Link(low).Should().NotBeNull("the number is kept").And.NotBe(Link(high), "what was there is closed");
    }

    [Fact]
    public void When_no_low_number_is_left_the_own_one_serves()
    {
        _ = IsolatedProcess.Run(new IsolationOptions("true"));
        using var crowd = new Crowd();
        using var file = File.OpenHandle("/dev/null");
        var high = (int)file.DangerousGetHandle();
        var taken = 0L;
        try
        {
            var numbers = Enumerable.Range(0, 64).Select(_ => LowDescriptors.Park(high, ref taken)).ToArray();
            numbers.Where(number => number != high).Should().OnlyHaveUniqueItems().And.NotBeEmpty();
            numbers[^1].Should().Be(high);
            IsolatedProcess.RunAndCaptureText(new IsolationOptions("echo", "still")).StandardOutput.Should().Be("still\n");
        }
        finally
        {
            LowDescriptors.Return(ref taken);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Pipes_and_handles_arrive_in_a_host_with_many_descriptors()
    {
        using var crowd = new Crowd();
        using var file = File.OpenHandle("/proc/self/comm");
        var sandboxes = Enumerable.Range(0, 24).Select(number => Task.Run(async () =>
        {
            var options = new IsolationOptions("sh", "-c", "cat; cat <&7 >&2")
            {
                StandardInput = StandardStream.Pipe, StandardOutput = StandardStream.Pipe, StandardError = StandardStream.Pipe,
                InheritedHandles = { [7] = file },
            };
            await using var process = IsolatedProcess.Start(options);
            await using (var input = new StreamWriter(process.StandardInput)) await input.WriteAsync($"sandbox {number}");
            (await new StreamReader(process.StandardOutput).ReadToEndAsync(TestContext.Current.CancellationToken)).Should().Be($"sandbox {number}");
            (await process.WaitForExitAsync(TestContext.Current.CancellationToken)).ExitCode.Should().Be(0);
        }));
        await Task.WhenAll(sandboxes);
    }

    private static string? Link(int fd) => new FileInfo($"/proc/self/fd/{fd}").LinkTarget;

    /// <summary>More open descriptors than the library has numbers.</summary>
    private sealed class Crowd : IDisposable
    {
        private readonly SafeHandle[] _handles = [.. Enumerable.Range(0, Many).Select(static _ => File.OpenHandle("/dev/null"))];

        public void Dispose()
        {
            foreach (var handle in _handles) handle.Dispose();
        }
    }
}
