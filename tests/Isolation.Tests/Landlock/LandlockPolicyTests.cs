using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class LandlockPolicyTests
{
    [Fact]
    public void A_policy_prints_itself()
    {
        var policy = new LandlockPolicy { Log = LandlockLog.NewExecOn }
            .AllowReadExecute("/usr", "/bin").AllowPath("/data", LandlockAccess.ReadFile | LandlockAccess.MakeSock, ignoreMissing: true)
            .AllowBindTcp(80).AllowConnectTcp(443);
        policy.ToString().Should().Be("""
            Landlock, required, for all of it ABI 7
            denied unless allowed below: All; TCP: All
            only among its own: All
            log: NewExecOn
            /usr: ReadExecute
            /bin: ReadExecute
            /data: ReadFile, MakeSock (if it exists)
            TCP port 80: BindTcp
            TCP port 443: ConnectTcp

            """);
    }

    [Fact]
    public void A_policy_is_copied_changed_and_compared()
    {
        var policy = LandlockPolicy.ForAbi(2).AllowRead("/usr");
        var changed = policy with { Enforcement = LandlockEnforcement.BestEffort };
        changed.Should().NotBe(policy);
        changed.Paths.Should().Equal(new LandlockPathRule("/usr", LandlockAccess.Read));
        (changed with { Enforcement = LandlockEnforcement.Required }).Should().Be(policy);
        policy.AllowRead("/usr").Should().NotBe(policy);
        policy.Paths.Should().ContainSingle("it is immutable");
        LandlockPolicy.ForAbi(2).AllowRead("/usr").GetHashCode().Should().Be(policy.GetHashCode());
    }

    [Theory]
    [InlineData(1, LandlockAccess.IoctlDev, 5)]
    [InlineData(1, LandlockAccess.Truncate, 3)]
    [InlineData(1, LandlockAccess.Refer, 2)]
    [InlineData(1, LandlockAccess.MakeSym, 1)]
    [InlineData(4, LandlockAccess.Truncate, 4)]
    public void A_policy_knows_the_ABI_it_needs(int abi, LandlockAccess added, int needed)
    {
        var policy = LandlockPolicy.ForAbi(abi);
        (policy with { HandledAccess = policy.HandledAccess | added }).RequiredAbi.Should().Be(needed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("usr")]
    [InlineData("/u\0sr")]
    public void A_path_that_cannot_be_meant_is_refused(string path) =>
        ((Action)(() => new LandlockPolicy().AllowRead(path))).Should().Throw<ArgumentException>();

    [Fact]
    public void So_is_one_that_has_no_form_in_UTF8() => // which an attribute's argument cannot hold
        ((Action)(() => new LandlockPolicy().AllowRead("/\ud800"))).Should().Throw<ArgumentException>();

    [Fact]
    public void What_Landlock_does_not_know_is_refused()
    {
        Action[] wrong =
        [
            () => new LandlockPolicy().AllowPath("/", LandlockAccess.None),
            () => new LandlockPolicy().AllowPath("/", (LandlockAccess)(1 << 20)),
            () => new LandlockPolicy().AllowPort(80, LandlockNetworkAccess.None),
            () => new LandlockPolicy().AllowBindTcp(-1),
            () => new LandlockPolicy().AllowConnectTcp(65536),
            () => _ = new LandlockPolicy { HandledAccess = (LandlockAccess)(1 << 20) },
            () => _ = new LandlockPolicy { HandledNetworkAccess = (LandlockNetworkAccess)4 },
            () => _ = new LandlockPolicy { Scopes = (LandlockScopes)4 },
            () => _ = new LandlockPolicy { Log = (LandlockLog)8 },
            () => _ = new LandlockPolicy { Enforcement = (LandlockEnforcement)2 },
            () => LandlockPolicy.ForAbi(0),
            () => LandlockPolicy.ForAbi(8),
        ];
        foreach (var action in wrong) action.Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void A_policy_that_handles_nothing_is_refused()
    {
        var options = new IsolationOptions("true") { Security = { Landlock = Landlocked.Nothing } };
        ((Action)(() => IsolatedProcess.Start(options))).Should().Throw<ArgumentException>().WithMessage("Security *handles nothing*");
    }

    [Fact]
    public void The_largest_plan_has_room_for_a_policy()
    {
        Landlocked.Require(1);
        using var handle = File.OpenHandle("/dev/null");
        var options = new IsolationOptions("true")
        {
            Namespaces = Namespaces.All, UseInit = true,
            Filesystem = { Root = Root.Layers(["/usr", "/etc"]), Mounts = { new OverlayMount("/overlay", "/usr") } },
            Security = { Landlock = Landlocked.Everything.AllowRead("/").AllowReadWrite("/tmp").AllowPath("/usr", LandlockAccess.Execute) },
        };
        for (var i = 3; i < 19; i++) options.InheritedHandles[i] = handle;
        for (var i = 1; i < 128; i++) options.Filesystem.Mounts.Add(new BindMount("/usr", $"/mount{i}") { IgnoreMissing = true });
        options.Explain().Should().Contain("landlock_restrict_self");
    }

    [Fact]
    public void The_plan_shows_what_will_be_done()
    {
        Landlocked.Require(4);
        var policy = LandlockPolicy.ForAbi(4).AllowReadExecute("/usr").AllowRead("/data").AllowReadExecute("/bin").AllowConnectTcp(443);
        var lines = new IsolationOptions("true") { Security = { Landlock = policy } }.Explain().Split('\n');
        var landlock = lines.Where(line => line.Contains("landlock", StringComparison.Ordinal)).ToArray();
        landlock[0].Should().MatchRegex(@"^r\d+ = landlock_create_ruleset\(&data\+\d+, 24\)");
        landlock[1].Should().MatchRegex(@"^landlock_add_rule\(r\d+, LANDLOCK_RULE_PATH_BENEATH, &r\d+\) then skip 3 or EINVAL");
        landlock[^2].Should().MatchRegex(@"^landlock_add_rule\(r\d+, LANDLOCK_RULE_NET_PORT, &data\+\d+\) or EAFNOSUPPORT");
        landlock[^1].Should().MatchRegex(@"^landlock_restrict_self\(r\d+\)");
        var text = string.Join('\n', lines);
        text.IndexOf("ReadExecute", StringComparison.Ordinal).Should().BePositive().And.BeLessThan(text.IndexOf("\"/bin\"", StringComparison.Ordinal));
        text.IndexOf("PR_SET_NO_NEW_PRIVS", StringComparison.Ordinal).Should().BePositive().And.BeLessThan(text.IndexOf("landlock_restrict_self", StringComparison.Ordinal));
    }
}
