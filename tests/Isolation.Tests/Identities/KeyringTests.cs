using System.Globalization;
using FluentAssertions;
using Isolation.Filtering;
using Isolation.Interop;
using Isolation.Tests.Escapes;
using Isolation.Tests.Hosts;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>The host's keys, which no namespace hides, are out of reach; shown with sandboxes that lack the filter which would forbid the calls as well.</summary>
public sealed class KeyringTests(RawCalls calls) : IClassFixture<RawCalls>
{
    private const string Name = "isolation-test-secret", Secret = "secret";
    private const string GetKeyring = "0", Search = "10", Read = "11", SessionKeyring = "-3";

    public static TheoryData<EscapeMode, Namespaces, bool> Ways
    {
        get
        {
            var data = new TheoryData<EscapeMode, Namespaces, bool>();
            foreach (var mode in EscapeModes.Every)
            {
                foreach (var useInit in (bool[])[false, true]) data.Add(mode, Namespaces.Default, useInit);
                data.Add(mode, Namespaces.None, false);
            }

            return data;
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Ways))]
    [EscapeAttempt(14)]
    public async Task Attempt_14_a_key_of_the_host_is_found_only_by_a_program_that_inherits_its_keyring(EscapeMode mode, Namespaces namespaces, bool useInit)
    {
        await InKeyringOfItsOwn(key =>
        {
            string[] words = [RawCalls.Call("keyctl", Search, SessionKeyring, "'user", "'" + Name, "0"), RawCalls.Call("keyctl", Read, key, "here", "100")];
            var options = mode.In(calls.Options(null, words));
            (options.Namespaces, options.UseInit) = (options.Namespaces & namespaces, useInit);
            Run(options).Should().Equal($"-{(int)Errno.ENOKEY}", $"-{(int)Errno.EACCES}");

            options.Security.InheritSessionKeyring = true;
            Run(options).Should().Equal([key, Secret.Length.ToString(CultureInfo.InvariantCulture)], "this sandbox is weak");

            options.Security.Seccomp = SeccompProfile.Default;
            Run(options).Should().Equal(["-1", "-1"], "the filter forbids it, too");
        });
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_has_an_empty_keyring_of_its_own_that_it_can_use()
    {
        await InKeyringOfItsOwn(key =>
        {
            var hosts = Kernel.Call(Sys.keyctl, Linux.KEYCTL_GET_KEYRING_ID, Linux.KEY_SPEC_SESSION_KEYRING).ToString(CultureInfo.InvariantCulture);
            var options = calls.Options(null, RawCalls.Call("keyctl", GetKeyring, SessionKeyring), RawCalls.Call("keyctl", Read, SessionKeyring, "here", "100"),
                RawCalls.Call("add_key", "'user", "'" + Name, "'theirs", "6", SessionKeyring), RawCalls.Call("keyctl", Read, SessionKeyring, "here", "100"));
            var (first, second) = (Run(options), Run(options));
            first[1].Should().Be("0", "there is no key in it");
            first[3].Should().Be("4", "there is one, whose number takes four bytes");
            first.Should().NotContain("-1");
            new[] { hosts, first[0], second[0] }.Should().OnlyHaveUniqueItems();
        });
    }

    [Fact(Timeout = 30_000)]
    public async Task The_user_who_the_program_becomes_can_use_it()
    {
        var options = calls.Options(null, RawCalls.Call("add_key", "'user", "'" + Name, "'theirs", "6", SessionKeyring), RawCalls.Call("keyctl", Search, SessionKeyring, "'user", "'" + Name, "0"));
        options.Namespaces |= Namespaces.User;
        options.User.UserId = options.User.GroupId = 1000;
        await InKeyringOfItsOwn(_ => Run(options).Distinct().Should().ContainSingle().Which.Should().NotStartWith("-"));
    }

    public static TheoryData<string, string[]> Hosts => new()
    {
        { "forbidden", [.. Without(Sys.keyctl)] },
        { "missing", [.. Without(Sys.keyctl), .. Without(Sys.add_key), .. Without(Sys.request_key)] },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Hosts))]
    public async Task Where_there_is_no_keyring_to_be_had_only_a_program_that_cannot_reach_one_is_started(string scenario, string[] settings) =>
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, [.. settings, "keyring", scenario])).Should().Be("fine\n");

    [Fact(Timeout = 60_000)]
    public async Task A_user_with_as_many_keys_as_there_may_be_waits_for_room()
    {
        Assert.SkipUnless(HostApp.IsRoot, "The quota of a user whom nothing else runs as takes root to become.");
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "as-user", "54323", "keyring", "full")).Should().Be("fine\n");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Filters_that_refuse_every_way_to_a_keyring_are_told_from_others(bool x64)
    {
        var native = x64 ? SeccompArchitecture.X64 : SeccompArchitecture.Arm64;
        Refuses(SeccompProfile.Default).Should().BeTrue();
        Refuses(SeccompProfile.Docker).Should().BeTrue();
        Refuses(SeccompProfile.Default.With(new SeccompRule(SeccompAction.Notify, "request_key"))).Should().BeFalse();
        Refuses(SeccompProfile.Default.With(new SeccompRule(SeccompAction.Allow, "keyctl") { Conditions = [new(0, SeccompOperator.Equal, 1)] })).Should().BeFalse();
        Refuses(SeccompProfile.Default with { ForeignAction = SeccompAction.Trace(1) }).Should().BeFalse();
        Refuses(new SeccompProfile(SeccompAction.Allow, new SeccompRule(SeccompAction.Deny, "keyctl", "add_key", "request_key"))).Should().BeTrue();
        Refuses(new SeccompProfile(SeccompAction.Allow, new SeccompRule(SeccompAction.Deny, "keyctl", "add_key"))).Should().BeFalse();

        bool Refuses(SeccompProfile profile) => FilterCompiler.Compile(profile, native, capabilities: 0).RefusesKeyrings;
    }

    private static string[] Without(Sys call) => ["without-call", SyscallTable.Number(call).ToString(CultureInfo.InvariantCulture)];

    private static string[] Run(IsolationOptions options)
    {
        var output = IsolatedProcess.RunAndCaptureText(options, TimeSpan.FromSeconds(20));
        output.ExitStatus.ExitCode.Should().Be(0, output.StandardError);
        return output.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>On a thread with a session keyring of its own, in which there is a key: keyrings are a thread's, so no other test sees it.</summary>
    private static async Task InKeyringOfItsOwn(Action<string> test)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                ((long)Kernel.Call(Sys.keyctl, Linux.KEYCTL_JOIN_SESSION_KEYRING)).Should().BePositive();
                var key = AddKey();
                ((long)key).Should().BePositive();
                test(key.ToString(CultureInfo.InvariantCulture));
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        }).Start();
        await done.Task;
    }

    private static unsafe nint AddKey()
    {
        fixed (byte* type = "user\0"u8, name = System.Text.Encoding.UTF8.GetBytes(Name + '\0'), secret = System.Text.Encoding.UTF8.GetBytes(Secret))
            return Kernel.Call(Sys.add_key, (nint)type, (nint)name, (nint)secret, Secret.Length, Linux.KEY_SPEC_SESSION_KEYRING);
    }
}
