using System.Globalization;
using System.Text;
using FluentAssertions;
using Isolation.Interop;
using Isolation.Tests.Identities;
using Isolation.Tests.Support;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Isolation.Tests.Escapes;

/// <summary>Syscalls that lead out by themselves: what the filter is for, and what privileges are.</summary>
public sealed class CallAttackTests(AttackProgram attack, RawCalls calls) : IClassFixture<AttackProgram>, IClassFixture<RawCalls>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    [EscapeAttempt(11)]
    public async Task Attempt_11_there_is_no_capability_in_any_set(EscapeMode mode)
    {
        var options = mode.In(Sandbox.Shell("grep ^Cap /proc/self/status"));
        (await Sandbox.OutputOf(options)).Should().Be(Sets(Capabilities.None));
        var kill = CapabilitySets.Of(Capabilities.Kill);
        options.Security.Capabilities = kill with { Inheritable = kill.Permitted, Ambient = kill.Permitted };
        (await Sandbox.OutputOf(options)).Should().Be(Sets(Capabilities.Kill));

        static string Sets(Capabilities each) => string.Concat(((string[])["Inh", "Prm", "Eff", "Bnd", "Amb"]).Select(set => $"Cap{set}:\t{(ulong)each:x16}\n"));
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    [EscapeAttempt(12)]
    public async Task Attempt_12_input_of_the_hosts_terminal_cannot_be_faked(EscapeMode mode)
    {
        using var host = new HostCanary();
        var (reached, input) = await FakeInput(mode, SeccompProfile.Default);
        reached.Should().BeEmpty();
        input.Should().BeEmpty();
        host.IsUnharmed();

        (reached, input) = await FakeInput(mode, null);
        // The kernel may forbid it by itself (6.2, dev.tty.legacy_tiocsti), but for who has CAP_SYS_ADMIN.
        if (mode != EscapeMode.Root && File.Exists("/proc/sys/dev/tty/legacy_tiocsti") && (await File.ReadAllTextAsync("/proc/sys/dev/tty/legacy_tiocsti", Token)).Trim() == "0") return;
        reached.Should().Equal("plain", "high bits");
        input.Should().Be("ph\n");
    }

    /// <summary>What the attack says that it has reached, and what the host then reads from its terminal.</summary>
    private async Task<(string[] Reached, string Input)> FakeInput(EscapeMode mode, SeccompProfile? filter)
    {
        using var terminal = new HostTerminal();
        var options = attack.Options(mode, "terminal");
        (options.StandardInput, options.StandardOutput) = (StandardStream.FromHandle(terminal.Program), StandardStream.Pipe);
        options.Security.Seccomp = filter;
        if (filter is null && mode == EscapeMode.Root) options.Security.Capabilities = CapabilitySets.Of(Capabilities.SysAdmin);
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        var reached = new List<string>();
        for (string line; (line = await process.ReadLine()) != "done"; reached.Add(line)) line.Should().NotBeEmpty("the program is to go on");
        return ([.. reached], terminal.Input());
    }

    public static TheoryData<EscapeMode, string, string[], int> Calls
    {
        get
        {
            const int missing = 38, forbidden = 1;
            var data = new TheoryData<EscapeMode, string, string[], int>();
            foreach (var mode in EscapeModes.Every)
            {
                data.Add(mode, "clone3", ["here", "0"], missing);
                data.Add(mode, "unshare", ["0x10000000"], forbidden);
                data.Add(mode, "clone", ["0x10000011"], forbidden);
                data.Add(mode, "bpf", ["0", "here", "72"], forbidden);
                data.Add(mode, "keyctl", ["0", "-3", "0"], forbidden);
                data.Add(mode, "add_key", ["here", "here", "0", "0", "-3"], forbidden);
                data.Add(mode, "request_key", ["here", "here", "0", "0"], forbidden);
            }

            return data;
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Calls))]
    [EscapeAttempt(13)]
    public async Task Attempt_13_calls_that_make_namespaces_or_programs_of_the_kernel_are_refused(EscapeMode mode, string name, string[] arguments, int errno)
    {
        var call = RawCalls.Call(name, arguments);
        (await Result(SeccompProfile.Default)).Should().Be($"-{errno}");
        // The kernel's own answer, which may be the same; then at least it can be seen that it is the filter that answers.
        if (await Result(null) == $"-{errno}") (await Result(SeccompProfile.Default.With(new SeccompRule(SeccompAction.Errno(77), name)))).Should().Be("-77");

        // What goes on in a child that the call has made prints as well.
        async Task<string> Result(SeccompProfile? filter) => (await Sandbox.OutputOf(mode.In(calls.Options(filter, call)))).Split('\n')[0];
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    [EscapeAttempt(15)]
    public async Task Attempt_15_a_user_of_the_host_cannot_be_become_again(EscapeMode mode)
    {
        using var host = new HostCanary();
        // Inside, the host's user has its own number for root, and that of root for an ordinary user.
        (await attack.Attack(Options(strict: true))).Should().BeEmpty();
        host.IsUnharmed();
        var reached = await attack.Attack(Options(strict: false));
        reached.Should().Contain(["setresgid", "setgid", "setresuid", "setuid", "setgroups"]);

        IsolationOptions Options(bool strict)
        {
            var options = attack.Options(mode, "ids", "0", "0");
            if (mode == EscapeMode.Rootless) (options.User.UserMap, options.User.GroupMap) = Subordinate.Require();
            (options.User.UserId, options.User.GroupId) = (1000, 1000);
            if (!strict) options.Security.Capabilities = CapabilitySets.Of(Capabilities.SetUid | Capabilities.SetGid);
            return options;
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    [EscapeAttempt(15)]
    public async Task Attempt_15_nobody_but_the_hosts_user_is_there_without_a_map(EscapeMode mode)
    {
        // User 0 without capabilities, and an ordinary user's one id: to become another one takes what neither has.
        foreach (var (user, group) in ((string, string)[])[("1", "1"), ("65534", "65534"), (Number(Privilege.UserId + 1), Number(Privilege.GroupId + 1))])
            (await attack.Attack(attack.Options(mode, "ids", user, group))).Should().BeEmpty();

        static string Number(uint id) => id.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A terminal of the host: what is typed into it could be read here.</summary>
    private sealed class HostTerminal : IDisposable
    {
        private const uint TIOCGPTPEER = 0x5441, TIOCSPTLCK = 0x40045431;
        private const int O_NOCTTY = 0x100, O_NONBLOCK = 0x800;

        private readonly SafeFileHandle _user = new(Kernel.open("/dev/ptmx", Linux.O_RDWR | O_NOCTTY), ownsHandle: true);

        internal unsafe HostTerminal()
        {
            Assert.SkipWhen(_user.IsInvalid, "The host has no terminals (/dev/ptmx).");
            var unlocked = 0;
            _ = Kernel.ioctl((int)_user.DangerousGetHandle(), TIOCSPTLCK, (nint)(&unlocked));
            Program = new SafeFileHandle((nint)(int)Kernel.ioctl((int)_user.DangerousGetHandle(), TIOCGPTPEER, Linux.O_RDWR | O_NOCTTY | O_NONBLOCK), ownsHandle: true);
            Program.IsInvalid.Should().BeFalse();
        }

        /// <summary>The end that programs have.</summary>
        internal SafeFileHandle Program { get; }

        /// <summary>A line that nobody typed, or nothing.</summary>
        internal string Input()
        {
            var text = new byte[64];
            var read = (int)Kernel.read((int)Program.DangerousGetHandle(), text);
            return read < 0 ? "" : Encoding.ASCII.GetString(text, 0, read);
        }

        public void Dispose()
        {
            Program.Dispose();
            _user.Dispose();
        }
    }
}
