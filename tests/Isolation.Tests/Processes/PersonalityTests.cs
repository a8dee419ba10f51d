using System.Globalization;
using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class PersonalityTests
{
    private const string Print = "cat /proc/self/personality";

    [Theory(Timeout = 30_000)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task A_program_has_the_personality_that_was_asked_for(bool useInit, bool noNewPrivileges)
    {
        var options = Sandbox.Shell(Print);
        (options.UseInit, options.Security.NoNewPrivileges) = (useInit, noNewPrivileges);
        foreach (var personality in (Personality[])[Personality.UName26, Personality.NoAddressRandomization, Personality.Linux, Personality.AddressLimit3GB | Personality.CompatibleLayout])
        {
            options.Security.Personality = personality;
            Number(await Sandbox.OutputOf(options)).Should().Be((uint)personality);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_one_it_is_that_of_the_host() =>
        Number(await Sandbox.OutputOf(Print)).Should().Be(Number(File.ReadAllText("/proc/thread-self/personality")));

    [Fact(Timeout = 30_000)]
    public async Task Addresses_are_the_same_each_time_only_without_randomization()
    {
        Assert.SkipUnless(File.ReadAllText("/proc/sys/kernel/randomize_va_space").Trim() != "0", "This machine has no random addresses.");
        var options = Sandbox.Shell("exec cat /proc/self/maps");
        options.Security.Personality = Personality.Linux;
        (await Stack(options)).Should().NotBe(await Stack(options));
        options.Security.Personality = Personality.NoAddressRandomization;
        (await Stack(options)).Should().Be(await Stack(options));

        static async Task<string> Stack(IsolationOptions options) =>
            (await Sandbox.OutputOf(options)).Split('\n').Single(line => line.EndsWith("[stack]", StringComparison.Ordinal)).Split(' ')[0];
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_can_see_a_machine_of_32_bits()
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "Not every arm64 machine has such a mode.");
        var options = Sandbox.Shell("uname -m");
        options.Security.Personality = Personality.Linux32;
        (await Sandbox.OutputOf(options)).Should().Be("i686\n");
    }

    [Fact]
    public void Bits_that_stand_for_nothing_are_refused() =>
        FluentActions.Invoking(() => new SecurityOptions { Personality = (Personality)0x40 }).Should().Throw<ArgumentOutOfRangeException>();

    private static uint Number(string text) => uint.Parse(text.Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
