using System.Globalization;
using FluentAssertions;
using Isolation.Interop;
using Isolation.Tests.Hosts;
using Isolation.Tests.Support;
using Isolation.Tests.Terminals;
using Xunit;

namespace Isolation.Tests;

/// <summary>An app that a shell has started in a terminal, connected to a sandbox: it leaves the terminal as it was, however it ends.</summary>
public sealed class ConsoleTests
{
    private const int SigHup = 1, SigInt = 2, SigQuit = 3, SigKill = 9, SigTerm = 15, SigTstp = 20;

    private static readonly int s_count = int.Parse(Environment.GetEnvironmentVariable("ISOLATION_TEST_KILLS") ?? "8", CultureInfo.InvariantCulture);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("exit", 4)]
    [InlineData("return", 5)]
    [InlineData("cancel", 6)]
    [InlineData("dispose", 8)]
    [InlineData("throw", 128 + 6)]
    public async Task An_app_that_ends_by_itself_leaves_the_terminal_as_it_was(string way, int code)
    {
        await using var shell = await Shell.StartAsync();
        var before = await shell.Modes();
        var pid = await shell.Start(way);
        (await shell.Code(pid)).Should().Be(code);
        (await shell.Modes()).Should().Be(before);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_end_of_the_program_leaves_the_terminal_as_it_was()
    {
        await using var shell = await Shell.StartAsync();
        var before = await shell.Modes();
        var pid = await shell.Start("wait");
        await shell.Conversation.Expect("attached");
        shell.IsRaw.Should().BeTrue();
        await shell.Conversation.Type("words\r");
        await shell.Conversation.Expect("read words\r\n");
        (await shell.Code(pid)).Should().Be(7);
        (await shell.Modes()).Should().Be(before);
    }

    [Fact(Timeout = 60_000)]
    public async Task Detaching_leaves_the_terminal_as_it_was()
    {
        await using var shell = await Shell.StartAsync();
        var before = await shell.Modes();
        var pid = await shell.Start("detach");
        await shell.Conversation.Expect("attached");
        await shell.Conversation.Type("\u0010\u0011");
        (await shell.Code(pid)).Should().Be(3);
        (await shell.Modes()).Should().Be(before);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(SigInt)]
    [InlineData(SigTerm)]
    [InlineData(SigQuit)]
    [InlineData(SigHup)]
    public async Task A_signal_that_ends_the_app_leaves_the_terminal_as_it_was(int signal)
    {
        await using var shell = await Shell.StartAsync();
        var before = await shell.Modes();
        var pid = await shell.Start("wait");
        await shell.Conversation.Expect("attached");
        Kernel.kill(pid, signal).Should().Be(0);
        (await shell.Code(pid)).Should().Be(128 + signal);
        (await shell.Modes()).Should().Be(before);
    }

    /// <summary>Nothing in the app can do it then; the keeper needs a moment.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData("wait", SigKill)]
    [InlineData("fail-fast", 6)]
    public async Task An_app_that_is_killed_or_crashes_leaves_the_terminal_as_it_was(string way, int signal)
    {
        await using var shell = await Shell.StartAsync();
        var before = await shell.Modes();
        var pid = await shell.Start(way);
        if (way == "wait")
        {
            await shell.Conversation.Expect("attached");
            Kernel.kill(pid, signal).Should().Be(0);
        }

        (await shell.Code(pid)).Should().Be(128 + signal);
        await shell.UntilModes(before);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_app_that_is_stopped_leaves_the_terminal_as_it_was_and_takes_it_again()
    {
        await using var shell = await Shell.StartAsync();
        var before = await shell.Modes();
        var pid = await shell.Start("wait");
        await shell.Conversation.Expect("attached");
        for (var i = 0; i < 3; i++)
        {
            Kernel.kill(pid, SigTstp).Should().Be(0);
            await HostView.Until(() => HostView.Read(pid, "stat").Contains(") T ", StringComparison.Ordinal), "it has stopped");
            (await shell.Modes()).Should().Be(before);
            await shell.Conversation.Type("fg\n");
            await HostView.Until(() => shell.IsRaw, "it is raw again");
        }

        await shell.Conversation.Type("words\r");
        await shell.Conversation.Expect("read words\r\n");
        (await shell.Code(pid)).Should().Be(7);
        (await shell.Modes()).Should().Be(before);
    }

    [Fact(Timeout = 600_000)]
    public async Task An_app_that_is_killed_at_any_moment_leaves_nothing_and_the_terminal_as_it_was()
    {
        await using var shell = await Shell.StartAsync();
        var before = await shell.Modes();
        var random = new Random(1);
        for (var i = 0; i < s_count; i++)
        {
            var pid = await shell.Start("wait");
            await Task.Delay(random.Next(60), Token);
            Kernel.kill(pid, SigKill).Should().Be(0);
            (await shell.Code(pid)).Should().Be(128 + SigKill);
            await shell.UntilModes(before);
            await HostView.Until(() => Isolation.TestHost.ProcessTable.WithArgument(Isolation.TestHost.Attached.Script).Count == 0, "no survivor");
        }
    }

    /// <summary>A shell with job control, in a terminal that nobody looks at, from which TestHost is started.</summary>
    private sealed class Shell(IsolatedProcess process) : IAsyncDisposable
    {
        internal Conversation Conversation { get; } = new(process.Terminal);

        internal static async Task<Shell> StartAsync()
        {
            var options = new IsolationOptions("/bin/sh", "-i")
            {
                Namespaces = Namespaces.None,
                InheritEnvironment = true,
                Environment = { ["PS1"] = "", ["ENV"] = null, ["TERM"] = "xterm", ["DOTNET_EnableDiagnostics"] = "0" },
                Terminal = new TerminalOptions(),
                // Sandboxes are to be made in it.
                Security = { Seccomp = null, Capabilities = Privilege.CanAdminister ? CapabilitySets.All : CapabilitySets.None },
                Limits = { [ResourceLimit.CoreDump] = 0 },
            };
            var shell = new Shell(await IsolatedProcess.StartAsync(options, Token));
            await shell.Conversation.Type("stty -echo; echo set; echo up\n");
            await shell.Conversation.Expect("\nset\r\n");
            await shell.Conversation.Expect("up\r\n");
            return shell;
        }

        /// <summary>What a program that the shell runs now would find, read from outside.</summary>
        internal unsafe bool IsRaw
        {
            get
            {
                using var copy = new Microsoft.Win32.SafeHandles.SafeFileHandle(process.Terminal.Duplicate(), true);
                termios2 modes;
                Kernel.ioctl((int)copy.DangerousGetHandle(), Linux.TCGETS2, (nint)(&modes)).Should().Be(0);
                return (modes.c_lflag & (Linux.ICANON | Linux.ISIG | Linux.ECHO)) == 0;
            }
        }

        /// <summary>Behind what the shell has to say of the app.</summary>
        internal async Task<string> Modes() => (await Conversation.Run("stty -g")).Split('\n')[^1];

        /// <summary>How the app has ended, once the shell has noticed.</summary>
        internal async Task<int> Code(int pid)
        {
            await HostView.Until(() => !HostView.Exists(pid), "the app is over");
            await Conversation.Type("echo code $? .\n");
            await Conversation.Expect("code ");
            return int.Parse((await Conversation.Expect(" ."))[..^2], CultureInfo.InvariantCulture);
        }

        internal async Task UntilModes(string modes)
        {
            for (var end = Environment.TickCount64 + 20_000; ;)
            {
                var now = await Modes();
                if (now == modes) return;
                Environment.TickCount64.Should().BeLessThan(end, "the modes are {0} and were {1}", now, modes);
            }
        }

        /// <summary>Starts the app in the foreground.</summary>
        internal async Task<int> Start(string way)
        {
            await Conversation.Type($"{string.Join(' ', HostApp.Command)} attached {way}\n");
            await Conversation.Expect("pid ");
            return int.Parse((await Conversation.Expect("\r\n")).Trim(), CultureInfo.InvariantCulture);
        }

        public ValueTask DisposeAsync() => process.DisposeAsync();
    }
}
