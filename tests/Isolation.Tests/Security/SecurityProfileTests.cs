using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public sealed class SecurityProfileTests(RawCalls calls) : IClassFixture<RawCalls>
{
    private const string Status = "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status";

    [Fact(Timeout = 30_000)]
    public async Task Dockers_profile_is_what_a_container_of_Docker_has()
    {
        var options = Sandbox.Shell(Status + "; wc -c < /proc/interrupts; echo x 2>/dev/null > /proc/sys/kernel/hostname || echo read-only");
        options.Namespaces |= Namespaces.User;
        options.Security = SecurityOptions.Docker;
        // The mask is the one that every description of Docker has.
        (await Sandbox.OutputOf(options)).Should().Be("CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nNoNewPrivs:\t0\n0\nread-only\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Dockers_profile_allows_what_Docker_does_and_no_more()
    {
        var options = calls.Options(null, RawCalls.Call("chroot", "'/"), RawCalls.Call("unshare", "0x10000000"), RawCalls.Call("keyctl", "0", "-3"), RawCalls.Call("process_vm_readv", "0"));
        options.Namespaces |= Namespaces.User;
        options.Security = SecurityOptions.Docker;
        (await Sandbox.OutputOf(options)).Should().Be("0\n-1\n-1\n0\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_confinement_a_program_can_do_in_its_namespaces_what_it_likes()
    {
        Programs.Require("mount", "unshare");
        var options = Sandbox.Shell("mount -t tmpfs none /mnt && echo mounted; unshare -Ur true && echo nested; sethostname=$(hostname box && hostname); echo $sethostname");
        options.Namespaces |= Namespaces.User;
        options.Security = SecurityOptions.Unconfined;
        (await Sandbox.OutputOf(options)).Should().Be("mounted\nnested\nbox\n");
        options.Security = SecurityOptions.Default;
        options.StandardError = StandardStream.Null;
        (await IsolatedProcess.RunAndCaptureTextAsync(options, TestContext.Current.CancellationToken)).StandardOutput.Should().NotContain("mounted").And.NotContain("nested").And.NotContain("box");
    }

    [Fact]
    public void The_default_profile_is_the_one_that_options_have()
    {
        var security = new IsolationOptions("true").Security;
        security.ToString().Should().Be(SecurityOptions.Default.ToString());
        (security.NoNewPrivileges, security.Capabilities, security.Seccomp, security.InheritSessionKeyring).Should().Be((true, CapabilitySets.None, SeccompProfile.Default, false));
        SecurityOptions.Default.Should().NotBeSameAs(SecurityOptions.Default, "it can be changed");
    }

    [Fact]
    public void A_profile_is_copied_and_changed_without_the_original()
    {
        var original = SecurityOptions.Docker;
        original.Personality = Personality.UName26;
        var copy = original.Clone();
        copy.ToString().Should().Be(original.ToString());
        copy.NoNewPrivileges = true;
        copy.Seccomp = SeccompProfile.Default.Denying("socket");
        copy.Personality = null;
        copy.ToString().Should().NotBe(original.ToString());
        original.ToString().Should().Be(Changed(SecurityOptions.Docker, Personality.UName26).ToString());

        static SecurityOptions Changed(SecurityOptions profile, Personality personality)
        {
            profile.Personality = personality;
            return profile;
        }
    }

    [Fact]
    public void A_profile_prints_all_that_it_has()
    {
        var profile = SecurityOptions.Default;
        profile.ToString().Should().StartWith("new privileges: none by exec\ncapabilities: none, and none to be gained\n").And.Contain("session keyring: an empty one of its own\n")
            .And.Contain("Landlock: no policy\n").And.Contain("seccomp:\n    ").And.Contain("unshare");
        profile = SecurityOptions.Docker;
        profile.Landlock = LandlockPolicy.ForAbi(1).AllowRead("/etc/fonts");
        profile.SecureBits = SecureBits.NoAmbientRaise;
        profile.DenialReporter = static _ => { };
        profile.ToString().Should().Contain("new privileges: possible by exec\n").And.Contain("CAP_MKNOD").And.Contain("bounding the same").And.Contain("/etc/fonts")
            .And.Contain("NoAmbientRaise").And.Contain("denial reporter: yes");
        SecurityOptions.Unconfined.ToString().Should().Contain("capabilities: permitted all").And.Contain("seccomp: no filter").And.Contain("session keyring: the host's");
    }

    [Fact]
    public void Options_always_have_a_profile() =>
        FluentActions.Invoking(() => new IsolationOptions("true") { Security = null! }).Should().Throw<ArgumentNullException>();
}
