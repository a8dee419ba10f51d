using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Escapes;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public sealed class CapabilitySetTests(RawCalls calls) : IClassFixture<RawCalls>
{
    private const Capabilities Some = Capabilities.Chown | Capabilities.NetBindService | Capabilities.SysAdmin | Capabilities.Kill;
    private const Capabilities Fewer = Capabilities.NetBindService | Capabilities.Kill;
    private const Capabilities None = Capabilities.None;
    private const string GetSecureBits = "27", SetSecureBits = "28";

    /// <summary>Options, and the sets that /proc/PID/status is to show: inheritable, permitted and effective, bounding, ambient.</summary>
    public static TheoryData<string, CapabilitySets, string?, SecureBits, bool, Capabilities[]> Combinations { get; } = new()
    {
        { "user 0", CapabilitySets.Of(Some), null, 0, true, [None, Some, Some, None] },
        { "user 0 that may gain privileges", CapabilitySets.Of(Some), null, 0, false, [None, Some, Some, None] },
        { "another user", CapabilitySets.Of(Some), "1000", 0, true, [Some, Some, Some, Some] },
        { "another user that may gain privileges", CapabilitySets.Of(Some), "1000", 0, false, [Some, Some, Some, Some] },
        { "a user that is looked up", CapabilitySets.Of(Some), "daemon", 0, true, [Some, Some, Some, Some] },
        { "everything for another user", CapabilitySets.All, "1000", 0, true, [Known, Known, Known, Known] },
        { "more bounding", CapabilitySets.Of(Some) with { Permitted = Fewer, Effective = Fewer }, null, 0, true, [None, Fewer, Some, None] },
        { "nothing but bounding", new CapabilitySets { Bounding = Some }, "1000", 0, true, [None, None, Some, None] },
        { "the bounding set as it is", new CapabilitySets { Permitted = Some, Effective = Some, Bounding = Capabilities.All }, null, 0, true, [None, Some, Known, None] },
        { "inheritable", CapabilitySets.Of(Some) with { Inheritable = Fewer }, null, 0, true, [Fewer, Some, Some, None] },
        { "ambient", CapabilitySets.Of(Some) with { Ambient = Fewer }, null, 0, true, [Fewer, Some, Some, Fewer] },
        { "less ambient", CapabilitySets.Of(Some) with { Ambient = Fewer }, "1000", 0, true, [Fewer, Fewer, Some, Fewer] },
        { "user 0 that is nobody special", CapabilitySets.Of(Some), null, SecureBits.NoRoot | SecureBits.NoRootLocked, false, [Some, Some, Some, Some] },
        { "Docker", CapabilitySets.Docker, null, 0, true, [None, CapabilitySets.Docker.Permitted, CapabilitySets.Docker.Permitted, None] },
        { "Docker, another user", CapabilitySets.Docker, "1000", 0, false, [None, None, CapabilitySets.Docker.Permitted, None] },
        { "Podman", CapabilitySets.Podman, null, 0, false, [None, CapabilitySets.Podman.Permitted, CapabilitySets.Podman.Permitted, None] },
    };

    private static Capabilities Known =>
        (Capabilities)((2ul << int.Parse(File.ReadAllText("/proc/sys/kernel/cap_last_cap"), CultureInfo.InvariantCulture)) - 1);

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Combinations))]
    [EscapeAttempt(11)]
    public Task A_program_has_exactly_the_sets_that_were_asked_for(
        string what, CapabilitySets sets, string? user, SecureBits bits, bool noNewPrivileges, Capabilities[] expected) =>
        Has(Namespaces.Default | Namespaces.User, what, sets, user, bits, noNewPrivileges, expected);

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Combinations))]
    [EscapeAttempt(11)]
    public Task And_on_the_host_without_a_user_namespace(
        string what, CapabilitySets sets, string? user, SecureBits bits, bool noNewPrivileges, Capabilities[] expected)
    {
        var own = Own("CapEff");
        var asked = sets.Bounding == Capabilities.All ? sets.Permitted : sets.Bounding;
        Assert.SkipUnless(asked == Capabilities.All || (asked & ~own) == 0, "Not every one of these capabilities is there to be given.");
        Assert.SkipUnless(own.HasFlag(Capabilities.SetPCap), "Needs CAP_SETPCAP.");
        expected = [.. expected.Select((set, i) => set != Known ? set : i == 2 ? Own("CapBnd") : own)];
        return Has(Namespaces.Default & ~Namespaces.User, what, sets, user, bits, noNewPrivileges, expected);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(null)]
    [InlineData(1000u)]
    public async Task Securebits_are_set_and_locked(uint? user)
    {
        const SecureBits bits = SecureBits.NoRoot | SecureBits.NoRootLocked | SecureBits.NoSetUidFixup | SecureBits.KeepCapsLocked | SecureBits.NoAmbientRaise;
        var options = calls.Options(null, RawCalls.Call("prctl", GetSecureBits), RawCalls.Call("prctl", SetSecureBits, "0"));
        options.User.UserId = user;
        (options.Namespaces, options.Security.SecureBits) = (Privilege.Possible(options.Namespaces), bits);
        (await Sandbox.OutputOf(options)).Should().Be($"{(int)bits}\n-1\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_user_who_is_not_0_can_use_what_it_was_given()
    {
        var options = Sandbox.Shell("hostname changed && hostname");
        options.Namespaces |= Namespaces.User;
        options.User.UserId = 1000;
        options.Security.Capabilities = CapabilitySets.Of(Capabilities.SysAdmin);
        (await Sandbox.OutputOf(options)).Should().Be("changed\n");
    }

    public static TheoryData<string, CapabilitySets, SecureBits, bool> Impossible { get; } = new()
    {
        { "CAP_CHOWN", new CapabilitySets { Permitted = Capabilities.Chown, Bounding = Capabilities.Chown }, 0, true },
        { "CAP_CHOWN", new CapabilitySets { Permitted = Capabilities.Chown, Effective = Capabilities.Chown }, 0, true },
        { "CAP_CHOWN", new CapabilitySets { Inheritable = Capabilities.Chown }, 0, true },
        { "CAP_CHOWN", new CapabilitySets { Bounding = Some, Ambient = Capabilities.Chown }, 0, true },
        { "CAP_CHOWN", CapabilitySets.Of(Some) with { Ambient = Some, Inheritable = Some & ~Capabilities.Chown }, 0, true },
        { "CAP_CHOWN", new CapabilitySets { Bounding = Capabilities.Chown }, 0, false }, // user 0 would gain it
        { "62", CapabilitySets.Of((Capabilities)(1ul << 62)), 0, true },
        { "SecureBits", CapabilitySets.None, (SecureBits)16, true }, // SECBIT_KEEP_CAPS, which exec clears
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void What_no_exec_gives_is_refused_before_anything_happens(string culprit, CapabilitySets sets, SecureBits bits, bool noNewPrivileges)
    {
        var options = new IsolationOptions("true")
        {
            Namespaces = Namespaces.Default | Namespaces.User,
            Security = { Capabilities = sets, SecureBits = bits, NoNewPrivileges = noNewPrivileges },
        };
        FluentActions.Invoking(() => IsolatedProcess.Start(options)).Should().Throw<ArgumentException>()
            .WithParameterName("Security").WithMessage($"*{culprit}*");
    }

    [Fact]
    public void What_the_host_does_not_have_cannot_be_given()
    {
        Assert.SkipWhen(Privilege.CanAdminister, "This user has everything.");
        var options = new IsolationOptions("true") { Namespaces = Namespaces.None, Security = { Capabilities = CapabilitySets.Of(Capabilities.SysTime) } };
        FluentActions.Invoking(() => IsolatedProcess.Start(options)).Should().Throw<ArgumentException>().WithMessage("*CAP_SYS_TIME*");
        (options.Security.Capabilities, options.Security.SecureBits) = (CapabilitySets.None, SecureBits.NoRoot);
        FluentActions.Invoking(() => IsolatedProcess.Start(options)).Should().Throw<ArgumentException>().WithMessage("*SecureBits*");
    }

    private static Capabilities Own(string set) =>
        (Capabilities)ulong.Parse(HostView.StatusField(Environment.ProcessId, set), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>Of the program, and of one that it starts.</summary>
    private static async Task Has(
        Namespaces namespaces, string what, CapabilitySets sets, string? user, SecureBits bits, bool noNewPrivileges, Capabilities[] expected)
    {
        Assert.SkipWhen(user == "daemon" && !Privilege.CanMapEverything, "Only one id can be mapped.");
        var options = Sandbox.Shell("grep ^Cap /proc/$$/status; sh -c 'grep ^Cap /proc/$$/status; :'");
        (options.Namespaces, options.User.Name) = (namespaces, user);
        (options.Security.Capabilities, options.Security.SecureBits, options.Security.NoNewPrivileges) = (sets, bits, noNewPrivileges);
        var (inheritable, permitted, bounding, ambient) = ((ulong)expected[0], (ulong)expected[1], (ulong)expected[2], (ulong)expected[3]);
        var shown = $"CapInh:\t{inheritable:x16}\nCapPrm:\t{permitted:x16}\nCapEff:\t{permitted:x16}\nCapBnd:\t{bounding:x16}\nCapAmb:\t{ambient:x16}\n";
        (await Sandbox.OutputOf(options)).Should().Be(shown + shown, what);
    }
}
