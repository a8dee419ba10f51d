using FluentAssertions;
using Isolation.Interop;
using Isolation.Tests.Support;
using Isolation.Tests.Terminals;
using Xunit;

namespace Isolation.Tests;

/// <summary>A terminal of the program's own, seen from inside and used by a host that has none.</summary>
public class TerminalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task The_program_has_a_terminal_that_is_there_by_its_name()
    {
        await using var process = await Start(Shell());
        var shell = await Ready(process);
        (await shell.Run("tty")).Should().Be("/dev/pts/0");
        (await shell.Run("test -c /dev/pts/0 && ls /dev/pts | sort | tr '\\n' ' '")).Should().Be("0 ptmx ");
        (await shell.Run("readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 | sort -u")).Should().Be("/dev/pts/0");
        (await shell.Run("echo $TERM; stty size")).Should().Be("xterm\n24 80");
        (await shell.Run("echo to it > /dev/tty")).Should().Be("to it");
        (await shell.Run("echo to it > /dev/console")).Should().Be("to it");
        await shell.Type("exit 7\n");
        await shell.Rest();
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(7);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_controls_the_programs_session(bool init)
    {
        var options = Shell();
        options.UseInit = init;
        await using var process = await Start(options);
        process.InnerProcessId.Should().Be(init ? 2 : 1);
        var shell = await Ready(process);
        // proc_pid_stat(5): process, name, state, parent, group, session, tty (136:0), foreground group
        var fields = (await shell.Run("set -- $(cat /proc/$$/stat); echo $1 $5 $6 $7 $8")).Split(' ');
        var pid = init ? "2" : "1";
        fields[..4].Should().Equal(pid, pid, pid, (136 << 8).ToString(null, null));
        await HostView.Until(() => HostView.Descriptors(process.ProcessId).Values.All(static target => !target.Contains("ptmx", StringComparison.Ordinal)), "no master is inside");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_keyboard_interrupts_suspends_and_ends_what_runs()
    {
        Programs.Require("bash");
        await using var process = await Start(new IsolationOptions("bash", "--norc", "--noediting") { Terminal = new TerminalOptions(), Environment = { ["PS1"] = "$ " } });
        var shell = new Conversation(process.Terminal);
        await shell.Expect("$ ");
        await shell.Type("sleep 1000001\n");
        await HostView.UntilForeground("1000001");
        await shell.Type("\u0003");
        await shell.Expect("^C");
        await shell.Expect("$ ");
        await shell.Type("echo $?\n");
        await shell.Expect("\r\n130\r\n");
        await shell.Type("sleep 1000001\n");
        await HostView.UntilForeground("1000001");
        await shell.Type("\u001a");
        await shell.Expect("Stopped");
        await shell.Type("jobs -p; kill %1; fg\n");
        await shell.Expect("sleep 1000001\r\n");
        await shell.Expect("$ ");
        await shell.Type("cat /dev/./tty\n");
        await HostView.UntilForeground("/dev/./tty");
        await shell.Type("line\n");
        await shell.Expect("line\r\nline\r\n"); // typed, and written
        await shell.Type("\u0004");
        await shell.Expect("$ ");
        await shell.Type("\u0004");
        await shell.Rest();
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(0);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_resize_reaches_the_program()
    {
        var options = Shell();
        options.Terminal = new TerminalOptions { Columns = 100, Rows = 40 };
        await using var process = await Start(options);
        var shell = await Ready(process);
        (await shell.Run("stty size")).Should().Be("40 100");
        (process.Terminal.Columns, process.Terminal.Rows).Should().Be((100, 40));
        await shell.Run("trap 'echo changed to $(stty size)' WINCH");
        process.Terminal.Resize(65_535, 1);
        await shell.Type("\n");
        await shell.Expect("changed to 1 65535");
        await shell.Run("stty rows 30 cols 90");
        (process.Terminal.Columns, process.Terminal.Rows).Should().Be((90, 30));
        foreach (var bad in (int[])[0, -1, 65_536])
        {
            process.Terminal.Invoking(terminal => terminal.Resize(bad, 1)).Should().Throw<ArgumentOutOfRangeException>();
            process.Terminal.Invoking(terminal => terminal.Resize(1, bad)).Should().Throw<ArgumentOutOfRangeException>();
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task It_belongs_to_the_programs_user()
    {
        var options = Shell();
        if (Privilege.CanMapEverything) options.User.Name = "nobody";
        await using var process = await Start(options);
        var shell = await Ready(process);
        (await shell.Run("test -O /dev/pts/0 && echo reading from $(tty) > \"$(tty)\"")).Should().Be("reading from /dev/pts/0");
    }

    [Fact(Timeout = 30_000)]
    public async Task Streams_that_go_elsewhere_stay_there()
    {
        var options = new IsolationOptions("/bin/sh", "-c", "tty; readlink /proc/$$/fd/1 /proc/$$/fd/2 | cut -c 1-5; echo to it > /dev/tty")
        {
            Terminal = new TerminalOptions(), StandardOutput = StandardStream.Pipe, StandardError = StandardStream.Null,
        };
        await using var process = await Start(options);
        var (output, _) = await process.ReadAllTextAsync(Token);
        output.Should().Be("/dev/pts/0\npipe:\n/dev/\n");
        (await new Conversation(process.Terminal).Rest()).Should().Be("to it\r\n");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(Namespaces.None)]
    [InlineData(Namespaces.Pid | Namespaces.User)]
    [InlineData(Namespaces.Default)]
    public async Task Without_a_dev_of_its_own_it_is_one_of_the_hosts(Namespaces namespaces)
    {
        var options = Shell();
        options.Namespaces = namespaces;
        options.Filesystem.PrivateDev = false;
        await using var process = await Start(options);
        var shell = await Ready(process);
        var name = await shell.Run("tty");
        name.Should().MatchRegex("^/dev/pts/[0-9]+$");
        (await shell.Run("test -c $(tty) && echo here > /dev/tty")).Should().Be("here");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_root_of_its_own_needs_a_devpts()
    {
        using var root = Trees.MakeRoot();
        var options = new IsolationOptions("/bin/sh") { Terminal = new TerminalOptions(), Filesystem = { Root = Root.Directory(root.Path), PrivateDev = false } };
        await FluentActions.Awaiting(() => Start(options)).Should().ThrowAsync<ArgumentException>().WithMessage("Terminal needs a devpts*KernelMount.DevPts*");
        options.Filesystem.Root = Root.Directory(root.Path, RootAccess.CopyOnWrite);
        options.Filesystem.Mounts.Add(KernelMount.DevPts("/dev/pts"));
        await using var process = await Start(options);
        var shell = new Conversation(process.Terminal);
        await shell.Type("readlink /proc/self/fd/0\n");
        await shell.Expect("\r\n/dev/pts/0\r\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task What_a_hostile_root_has_in_the_place_of_devices_is_not_used()
    {
        using var root = Trees.MakeRoot();
        Directory.CreateDirectory(root.Path + "/dev/pts");
        File.WriteAllText(root.Path + "/dev/pts/ptmx", "");
        File.CreateSymbolicLink(root.Path + "/dev/ptmx", "/dev/pts/ptmx");
        File.CreateSymbolicLink(root.Path + "/dev/console", "/etc/passwd");
        var options = new IsolationOptions("/bin/sh") { Terminal = new TerminalOptions(), Filesystem = { Root = Root.Directory(root.Path, RootAccess.CopyOnWrite) } };
        await using (var process = await Start(options))
        {
            var shell = new Conversation(process.Terminal);
            await shell.Type("readlink /proc/self/fd/0; readlink /dev/console\n");
            await shell.Expect("\r\n/dev/pts/0\r\npts/0\r\n");
        }

        options.Filesystem.PrivateDev = false;
        options.Filesystem.Mounts.Add(KernelMount.DevPts("/dev/pts"));
        options.Filesystem.Mounts.Add(new BindMount("/dev/zero", "/dev/pts/ptmx") { AllowDevices = true, Writable = true });
        var failure = (await FluentActions.Awaiting(() => Start(options)).Should().ThrowAsync<IsolationException>()).Which;
        (failure.Step, failure.Errno, failure.Path).Should().Be(("check that it makes terminals", (int)Errno.ENXIO, "/dev/pts/ptmx"));
    }

    [Fact(Timeout = 30_000)]
    public async Task Nobody_inside_types_for_others()
    {
        Programs.Require("python3");
        const string script = "import fcntl, os\nfor request in (0x5412, 0x5412 | 0x123 << 32):\n try:\n  fcntl.ioctl(0, request & 0xffffffff, b'x')\n  print('typed')\n except OSError as e:\n  print(e.errno)\n";
        await using var process = await Start(new IsolationOptions("python3", "-c", script) { Terminal = new TerminalOptions() });
        (await new Conversation(process.Terminal).Rest()).Should().Be("1\r\n1\r\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_that_enters_a_sandbox_has_a_terminal_of_that_ones()
    {
        await using var process = await Start(Shell());
        var shell = await Ready(process);
        await using var entered = await process.StartAsync(Shell(), Namespaces.All, Token);
        var other = await Ready(entered);
        (await other.Run("tty; echo for the other > /dev/pts/0")).Should().Be("/dev/pts/1");
        await shell.Expect("for the other\r\n");
        await entered.DisposeAsync();
        (await shell.Run("ls /dev/pts | sort | tr '\\n' ' '")).Should().Be("0 ptmx ");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_that_waits_for_its_release_has_its_terminal_already()
    {
        await using var process = await IsolatedProcess.StartSuspendedAsync(new IsolationOptions("/bin/cat") { Terminal = new TerminalOptions() }, Token);
        var conversation = new Conversation(process.Terminal);
        await conversation.Type("early\n");
        await conversation.Expect("early\r\n");
        await process.ReleaseAsync(Token);
        await conversation.Type("\u0004");
        (await conversation.Rest()).Should().Be("early\r\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task TERM_is_what_the_environment_says_or_else_the_options()
    {
        var options = Shell();
        options.Terminal!.Type = "vt100";
        (await Term()).Should().Be("vt100");
        options.Environment["TERM"] = "linux";
        (await Term()).Should().Be("linux");
        options.Environment["TERM"] = null;
        (await Term()).Should().Be("dumb or none");
        options.InheritEnvironment = true;
        options.Environment.Remove("TERM");
        (await Term()).Should().Be(Environment.GetEnvironmentVariable("TERM") ?? "vt100");

        async Task<string> Term()
        {
            options.Arguments[1] = "tr '\\0' '\\n' < /proc/$$/environ | sed -n 's/^TERM=//p' | grep . || echo dumb or none";
            await using var process = await Start(options);
            return (await new Conversation(process.Terminal).Rest()).TrimEnd();
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Nobody_would_see_the_terminal_of_a_program_whose_text_is_captured()
    {
        var options = Shell();
        FluentActions.Invoking(() => IsolatedProcess.RunAndCaptureText(options)).Should().Throw<ArgumentException>().WithMessage("Terminal must be null*");
        await FluentActions.Awaiting(() => IsolatedProcess.RunAndCaptureTextAsync(options, Token)).Should().ThrowAsync<ArgumentException>();
        FluentActions.Invoking(() => IsolatedProcess.StartDetached(options)).Should().Throw<ArgumentException>().WithMessage("Terminal is not possible here*");
        await using var process = await IsolatedProcess.StartAsync(new IsolationOptions("true"), Token);
        process.Invoking(static plain => plain.Terminal).Should().Throw<InvalidOperationException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task Disposing_it_is_hanging_up()
    {
        var options = new IsolationOptions("/bin/sh", "-c", "trap 'exit 9' HUP; echo ready; while :; do sleep 0.05; done") { Terminal = new TerminalOptions() };
        await using var process = await Start(options);
        await new Conversation(process.Terminal).Expect("ready");
        var read = process.Terminal.ReadAsync(new byte[1], Token).AsTask();
        await process.Terminal.DisposeAsync();
        await FluentActions.Awaiting(() => read).Should().ThrowAsync<ObjectDisposedException>();
        process.Terminal.Invoking(static terminal => terminal.Rows).Should().Throw<ObjectDisposedException>();
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(9);
    }

    [Fact(Timeout = 60_000)]
    public async Task Megabytes_come_out_as_they_went_in()
    {
        // Raw, so that every byte is itself; a reader that is slow makes the writer wait.
        var options = new IsolationOptions("/bin/sh", "-c", "stty raw -echo; head -c 8000000 /dev/zero | tr '\\0' 'x'; echo end") { Terminal = new TerminalOptions() };
        await using var process = await Start(options);
        using var seen = new MemoryStream();
        await process.Terminal.CopyToAsync(seen, Token);
        seen.Length.Should().Be(8_000_004);
        seen.ToArray().AsSpan(0, 8_000_000).ContainsAnyExcept((byte)'x').Should().BeFalse();
    }

    [Fact(Timeout = 60_000)]
    public async Task Megabytes_go_in_as_they_are()
    {
        var options = new IsolationOptions("/bin/sh", "-c", "stty raw -echo; echo ready; head -c 1000000 | md5sum | cut -c 1-32; read -r line") { Terminal = new TerminalOptions() };
        await using var process = await Start(options);
        var conversation = new Conversation(process.Terminal);
        await conversation.Expect("ready");
        var data = new byte[1_000_000];
        new Random(1).NextBytes(data);
        await process.Terminal.WriteAsync(data, Token);
#pragma warning disable CA5351 // no secret
        await conversation.Expect(Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData(data)));
#pragma warning restore CA5351
    }

    /// <summary>A shell that shows neither a prompt nor what is typed.</summary>
    private static IsolationOptions Shell() =>
        new("/bin/sh", "-c", "stty -echo; echo ready; exec /bin/sh") { Terminal = new TerminalOptions(), Environment = { ["PS1"] = "" } };

    private static async Task<Conversation> Ready(IsolatedProcess process)
    {
        var conversation = new Conversation(process.Terminal);
        await conversation.Expect("ready\r\n");
        return conversation;
    }

    private static Task<IsolatedProcess> Start(IsolationOptions options)
    {
        if (options.Namespaces != Namespaces.None) options.Namespaces = Privilege.Possible(options.Namespaces);
        return IsolatedProcess.StartAsync(options, Token);
    }
}
