using FluentAssertions;
using Isolation.Tests.Samples;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>docker run -it, in a real terminal.</summary>
public sealed class RunTerminalTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _data = new();
    private BusyboxImage _image = null!;

    private string Command => $"ISOLATION_STORE={_data.Path}/images '{Path.Combine(AppContext.BaseDirectory, "Run")}'";

    public async ValueTask InitializeAsync() => _image = await BusyboxImage.MakeAsync();

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        _image?.Dispose();
        _data.Dispose();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_shell_of_an_image_feels_like_a_shell()
    {
        await using var terminal = await TmuxSession.StartAsync($"stty -g > {_data.Path}/before; {Command} -it --rm {_image.Layout} /bin/sh; code=$?; stty -g > {_data.Path}/after; echo code $code; cat");
        await terminal.At("/ #", "clear; /bin/ps", "Enter");
        var screen = await terminal.Until("ps shows its line", static lines => lines is [['P', 'I', 'D', ..], _, _, ..] && lines[^1] == "/ #");
        var processes = screen.Where(static line => line.Length > 0).Skip(1).SkipLast(1).Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        processes.Should().HaveCount(2);
        processes[0].Should().StartWith("1").And.EndWith("/bin/sh");
        processes[1][^1].Should().Be("/bin/ps");

        await terminal.At("/ #", "clear; sleep 1000002", "Enter");
        await HostView.UntilForeground("1000002");
        await terminal.Keys("C-c");
        await terminal.At("/ #", "echo code $? by Ctrl-C", "Enter");
        await terminal.Until("the child was interrupted", static lines => lines.Contains("code 130 by Ctrl-C"));

        // An escape sequence that asks the terminal, whose answer comes in as keys.
        await terminal.At("/ #", "clear; busybox vi /etc/passwd", "Enter");
        screen = await terminal.Until("vi has drawn", static lines => lines.Length == 24 && Line(lines, 23).Contains("/etc/passwd", StringComparison.Ordinal));
        screen[0].Should().Be("root:x:0:0:root:/root:/bin/sh");
        screen[1].Should().Be("app:x:1000:1000::/home/app:/bin/sh");
        screen[2..23].Should().OnlyContain(static line => line == "~");
        await terminal.Resize(60, 15);
        await terminal.Until("vi has drawn anew", static lines => lines.Length == 15 && Line(lines, 13) == "~" && Line(lines, 14).Contains("/etc/passwd", StringComparison.Ordinal));
        await terminal.Keys("G", "o", "new line");
        await terminal.Until("it is there", static lines => Line(lines, 2) == "new line" && Line(lines, 14).StartsWith('I'));
        await terminal.Keys("Escape");
        await terminal.Until("vi takes commands again", static lines => Line(lines, 14).StartsWith('-'));
        await terminal.Keys(":q!", "Enter");
        await terminal.At("/ #", "clear; busybox stty size", "Enter");
        await terminal.Until("the size has come through", static lines => lines.Contains("15 60"));

        await terminal.At("/ #", "clear; seq 1 100 | busybox less", "Enter");
        await terminal.Until("less shows the first page", static lines => lines is ["1", "2", ..] && Line(lines, 13) == "14");
        await terminal.Keys("G");
        await terminal.Until("less shows the end", static lines => lines.Contains("100"));
        await terminal.Keys("q");

        await terminal.At("/ #", "clear; sh -c 'exit 7'", "Enter");
        await terminal.At("/ #", "C-d");
        await terminal.UntilLast("code 7");
        File.ReadAllText(_data.Path + "/after").Should().NotBeEmpty().And.Be(File.ReadAllText(_data.Path + "/before"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_signal_to_the_app_ends_it_and_its_sandbox_and_leaves_the_terminal_as_it_was()
    {
        var line = $"stty -g > {_data.Path}/before; {Command} -it --rm {_image.Layout} sh -c 'echo up; sleep 123456'; code=$?; stty -g > {_data.Path}/after; echo code $code; cat";
        await using var terminal = await TmuxSession.StartAsync(line);
        await terminal.Until("it runs", static lines => lines.Contains("up"));
        var app = Isolation.TestHost.ProcessTable.WithArgument(_image.Layout).Single(static pid => HostView.Read(pid, "cmdline").Contains("/Run\0", StringComparison.Ordinal));
        Isolation.Interop.Kernel.kill(app, Isolation.Interop.Linux.SIGTERM).Should().Be(0);
        await terminal.Until("it is over", static lines => lines.Contains("code 143"));
        File.ReadAllText(_data.Path + "/after").Should().NotBeEmpty().And.Be(File.ReadAllText(_data.Path + "/before"));
        await HostView.Until(() => Isolation.TestHost.ProcessTable.WithArgument("sleep\0123456").Count == 0, "the sandbox is gone");
    }

    [Fact(Timeout = 120_000)]
    public async Task Without_its_input_a_terminal_is_for_looking()
    {
        await using var terminal = await TmuxSession.StartAsync($"{Command} -t --rm {_image.Layout} sh -c 'busybox tty; busybox stty size; exit 3'; echo code $?; cat");
        var screen = await terminal.UntilLast("code 3");
        screen.Where(static line => line.Length > 0).Should().Equal("/dev/pts/0", "24 80", "code 3");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_is_no_terminal_cannot_be_connected()
    {
        var result = await SampleProcess.RunAsync("Run", "-it", "--rm", _image.Layout);
        (result.ExitCode, result.Output).Should().Be((125, ""));
        result.Error.Should().Contain("standard input is none");
    }

    /// <summary>Empty lines at the end are not there, and while the program draws, others are not yet.</summary>
    private static string Line(string[] lines, int number) => lines.ElementAtOrDefault(number) ?? "";
}
