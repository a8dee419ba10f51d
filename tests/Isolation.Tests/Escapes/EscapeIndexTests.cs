using System.Reflection;
using FluentAssertions;
using Xunit;

namespace Isolation.Tests.Escapes;

/// <summary>
/// Twenty ways out of containers, most of which once led out of one or another. Each is tried as root without a user namespace, as root with
/// one, and as an ordinary user, and shown to succeed where what stops it is taken away.
/// </summary>
public class EscapeIndexTests
{
    private static readonly string[] s_attempts =
    [
        "read or write the memory of a process that is on its way into a sandbox",
        "execute /proc/self/exe, and write to the executable of the host",
        "a working directory that is a descriptor of the host",
        "exchange the place of a mount with a link while a sandbox starts",
        "a link to a folder of the host in the place of /dev",
        "a /dev/null in the image that is something else, where kernel files are masked with it",
        "a link in the place of /proc",
        "write to core_pattern, sysrq-trigger and all of /proc/sys",
        "chroot and ..",
        "a descriptor that nobody meant to give",
        "a capability that nobody meant to give, in any of the five sets",
        "fake the input of the host's terminal",
        "clone3, unshare of a user namespace, bpf, keyctl",
        "search the host's session keyring",
        "become a user or group of the host again",
        "make the node of a disk, or open one that is there",
        "raise one's own limit of memory, or leave one's control group",
        "connect to an abstract Unix socket of the host",
        "read /proc/kcore, /proc/interrupts, /proc/keys",
        "signal a process of the host, by number and by group",
    ];

    /// <summary>Where a theory gets its modes from.</summary>
    private static readonly string[] s_modes =
    [
        Name<AttackedTree>(nameof(AttackedTree.Every)), Name<HostileRootTests>(nameof(HostileRootTests.Folders)), nameof(EscapeModes) + "." + nameof(EscapeModes.Every),
        Name<MemoryAttackTests>(nameof(MemoryAttackTests.Attackers)), Name<CallAttackTests>(nameof(CallAttackTests.Calls)), Name<KeyringTests>(nameof(KeyringTests.Ways)),
    ];

    [Fact]
    public void Each_of_the_twenty_is_tried_in_every_mode()
    {
        var tests = typeof(EscapeIndexTests).Assembly.GetTypes().SelectMany(static type => type.GetMethods())
            .SelectMany(static method => method.GetCustomAttributes<EscapeAttemptAttribute>().Select(attempt => (attempt.Number, Method: method)))
            .ToLookup(static test => test.Number, static test => test.Method);
        tests.Select(static group => group.Key).Order().Should().Equal(Enumerable.Range(1, s_attempts.Length));
        for (var number = 1; number <= s_attempts.Length; number++)
        {
            foreach (var test in tests[number])
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"{number}. {s_attempts[number - 1]}: {test.DeclaringType!.Name}.{test.Name}");
                var fact = test.GetCustomAttribute<FactAttribute>();
                fact.Should().NotBeNull("{0} is to be run", test.Name);
                fact!.Skip.Should().BeNull();
            }

            tests[number].Should().Contain(static test => HasModes(test), "attempt {0} is to be made in every mode", number);
        }
    }

    private static string Name<T>(string member) => $"{typeof(T).Name}.{member}";

    private static bool HasModes(MethodInfo test) =>
        test.GetCustomAttributes<MemberDataAttribute>().Any(data => s_modes.Contains($"{(data.MemberType ?? test.DeclaringType)!.Name}.{data.MemberName}"));
}
