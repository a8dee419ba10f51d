using System.Text;
using FluentAssertions;
using Isolation.Interop;
using Isolation.Supervision;
using Isolation.Tests.Support;
using Isolation.Tests.Terminals;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Isolation.Tests;

/// <summary>A sandbox's terminal connected to another one, which has its modes back afterwards.</summary>
public sealed class AttachTests : IDisposable
{
    private readonly Pseudoterminal _console = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _console.Dispose();

    [Fact(Timeout = 30_000)]
    public async Task Keys_go_in_and_what_is_shown_comes_out()
    {
        var before = _console.Modes;
        await using var process = await Start("read -r go; stty size; stty -echo; echo ready; read -r line; echo \"<$line>\"; exit 7");
        var person = new Conversation(_console.Outside);
        var attached = process.Terminal.AttachAsync(_console.Attach, Token);
        _console.Modes.Should().NotBe(before, "it is raw now");
        await person.Type("go\r"); // it was started before its terminal had this size
        await person.Expect("50 120\r\n");
        await person.Expect("ready\r\n");
        await person.Type("keys \u0001\u0002\r");
        await person.Expect("<keys \u0001\u0002>\r\n");
        (await attached).Should().Be(TerminalEnd.Closed);
        _console.Modes.Should().Be(before);
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(7);
    }

    [Fact(Timeout = 30_000)]
    public async Task Control_keys_mean_the_program()
    {
        await using var process = await Start("trap 'echo interrupted' INT; echo ready; read -r line; echo ended $?");
        var attached = process.Terminal.AttachAsync(_console.Attach, Token);
        var person = new Conversation(_console.Outside);
        await person.Expect("ready");
        await person.Type("\u0003");
        await person.Expect("interrupted");
        await person.Type("\u0004");
        (await attached).Should().Be(TerminalEnd.Closed);
    }

    [Fact(Timeout = 30_000)]
    public async Task It_can_be_canceled_and_connected_again()
    {
        var before = _console.Modes;
        await using var process = await Start("stty -echo; echo ready; while read -r line; do echo \"<$line>\"; done");
        var person = new Conversation(_console.Outside);
        for (var i = 0; i < 5; i++)
        {
            using var cancellation = new CancellationTokenSource();
            var attached = process.Terminal.AttachAsync(_console.Attach, cancellation.Token);
            if (i == 0) await person.Expect("ready");
            await person.Type($"line {i}\r");
            await person.Expect($"<line {i}>");
            await cancellation.CancelAsync();
            await FluentActions.Awaiting(() => attached).Should().ThrowAsync<OperationCanceledException>();
            _console.Modes.Should().Be(before);
        }

        process.HasExited.Should().BeFalse();
        await FluentActions.Awaiting(() => process.Terminal.AttachAsync(_console.Attach, new CancellationToken(canceled: true))).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task Keys_detach_it_and_the_program_goes_on()
    {
        var before = _console.Modes;
        await using var process = await Start("stty raw -echo; echo ready; cat -v");
        var person = new Conversation(_console.Outside);
        var options = _console.Attach;
        options.DetachKeys = "ctrl-p,ctrl-q";
        var attached = process.Terminal.AttachAsync(options, Token);
        await person.Expect("ready");
        await person.Type("a\u0010b");
        await person.Expect("a^Pb"); // held back until it was clear
        await person.Type("\u0010");
        await person.Type("\u0010");
        await person.Type("\u0011");
        (await attached).Should().Be(TerminalEnd.Detached);
        _console.Modes.Should().Be(before);
        attached = process.Terminal.AttachAsync(options, Token);
        await person.Type("again");
        await person.Expect("^Pagain");
        process.Kill();
        (await attached).Should().Be(TerminalEnd.Closed);
    }

    [Theory]
    [InlineData("ctrl-p,ctrl-q", "\u0010\u0011", "x\u0010y", "x\u0010y", false)]
    [InlineData("ctrl-p,ctrl-q", "\u0010\u0011", "\u0010\u0010\u0011z", "\u0010", true)]
    [InlineData("a,a,b", "aab", "aaaab", "aa", true)]
    [InlineData("a,b,a,c", "abac", "ababac", "ab", true)]
    [InlineData("a,b,a,c", "abac", "ababad", "ababad", false)]
    [InlineData("ctrl-[,~", "\u001b~", "\u001b[A", "\u001b[A", false)]
    [InlineData("ctrl-@", "\0", "a\0b", "a", true)]
    public void Keys_to_detach_are_found_wherever_reads_end(string keys, string sequence, string typed, string passed, bool detached)
    {
        for (var size = 1; size <= typed.Length; size++)
        {
            var found = DetachKeys.Parse(keys);
            found.Length.Should().Be(sequence.Length);
            var (result, ended) = (new List<byte>(), false);
            foreach (var part in Encoding.ASCII.GetBytes(typed).Chunk(size))
            {
                var to = new byte[part.Length + found.Length];
                var count = found.Filter(part, to, out ended);
                result.AddRange(to[..count]);
                if (ended) break;
            }

            (Encoding.ASCII.GetString([.. result]), ended).Should().Be((passed, detached), "in parts of {0}", size);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("ctrl-")]
    [InlineData("ctrl-1")]
    [InlineData("a,")]
    [InlineData("f1")]
    public void Other_names_of_keys_are_refused(string keys) =>
        new TerminalAttachOptions().Invoking(options => options.DetachKeys = keys).Should().Throw<ArgumentException>();

    [Fact(Timeout = 30_000)]
    public async Task The_size_follows()
    {
        await using var process = await Start("trap 'echo now $(stty size)' WINCH; echo ready; while :; do read -r line; done");
        var attached = process.Terminal.AttachAsync(_console.Attach, Token);
        var person = new Conversation(_console.Outside);
        await person.Expect("ready");
        _console.Outside.Resize(70, 20);
        Kernel.kill(Environment.ProcessId, Linux.SIGWINCH).Should().Be(0); // the kernel sends it to who has that terminal
        await person.Expect("now 20 70");
        (process.Terminal.Columns, process.Terminal.Rows).Should().Be((70, 20));
        process.Kill();
        await attached;
    }

    [Fact(Timeout = 30_000)]
    public async Task An_output_that_takes_nothing_is_an_error_and_the_modes_are_back()
    {
        var before = _console.Modes;
        await using var process = await Start("echo ready; read -r line; echo more; sleep 1000");
        var (read, write) = Pipe();
        var attached = process.Terminal.AttachAsync(new TerminalAttachOptions { Input = _console.Inside, Output = write }, Token);
        await new Conversation(new FileStream(read, FileAccess.Read, 1)).Expect("ready");
        read.Dispose();
        await new Conversation(_console.Outside).Type("line\r");
        await FluentActions.Awaiting(() => attached).Should().ThrowAsync<IOException>().WithMessage("write failed with EPIPE*");
        _console.Modes.Should().Be(before);
        write.Dispose();
    }

    [Theory(Timeout = 30_000)]
    [InlineData("two\nlines\n", "two\nlines\nend\n")]
    [InlineData("no end", "no endend\n")]
    [InlineData("", "end\n")]
    public async Task Without_a_terminal_the_end_of_the_input_is_typed(string input, string output)
    {
        using var folder = new TemporaryFolder();
        using var file = File.OpenHandle(folder.File("input", input));
        var shown = folder.Path + "/shown";
        using (var to = File.OpenHandle(shown, FileMode.Create, FileAccess.Write))
        {
            await using var process = await Start("stty -echo; echo ready; cat; echo end");
            await new Conversation(process.Terminal).Expect("ready\r\n");
            (await process.Terminal.AttachAsync(new TerminalAttachOptions { Input = file, Output = to }, Token)).Should().Be(TerminalEnd.Closed);
        }

        File.ReadAllText(shown).Should().Be(output.ReplaceLineEndings("\r\n"));
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_its_input_the_other_terminal_stays_as_it_is()
    {
        var before = _console.Modes;
        await using var process = await Start("echo ready; sleep 1000");
        var options = _console.Attach;
        options.ForwardInput = false;
        var attached = process.Terminal.AttachAsync(options, Token);
        await new Conversation(_console.Outside).Expect("ready");
        _console.Modes.Should().Be(before);
        process.Kill();
        (await attached).Should().Be(TerminalEnd.Closed);
    }

    [Fact(Timeout = 30_000)]
    public async Task Whoever_holds_the_terminal_after_the_program_does_not_hold_the_connection()
    {
        var options = Options("(trap '' HUP; sleep 1000) & echo shown; exit 3");
        options.Namespaces = Privilege.Possible(Namespaces.Default & ~Namespaces.Pid);
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        (await process.Terminal.AttachAsync(_console.Attach, Token)).Should().Be(TerminalEnd.Closed);
        await new Conversation(_console.Outside).Expect("shown");
        (await process.WaitForExitAsync(Token)).ExitCode.Should().Be(3);
    }

    [Fact(Timeout = 30_000)]
    public async Task It_is_connected_to_one_at_a_time_and_not_after_its_end()
    {
        await using var process = await Start("sleep 1000");
        var attached = process.Terminal.AttachAsync(_console.Attach, Token);
        await FluentActions.Awaiting(() => process.Terminal.AttachAsync(_console.Attach, Token)).Should().ThrowAsync<InvalidOperationException>();
        await process.Terminal.DisposeAsync();
        await FluentActions.Awaiting(() => attached).Should().ThrowAsync<ObjectDisposedException>();
        await FluentActions.Awaiting(() => process.Terminal.AttachAsync(_console.Attach, Token)).Should().ThrowAsync<ObjectDisposedException>();
    }

    [Fact(Timeout = 60_000)]
    public async Task Megabytes_come_through_while_keys_go_in()
    {
        await using var process = await Start("stty raw -echo; echo ready; head -c 1 > /dev/null; head -c 4000000 /dev/zero | tr '\\0' x; head -c 1; echo end");
        var attached = process.Terminal.AttachAsync(_console.Attach, Token);
        var person = new Conversation(_console.Outside);
        await person.Expect("ready\n");
        await person.Type("g");
        var (buffer, total) = (new byte[8192], 0);
        await person.Type("k");
        while (total < 4_000_005 && await _console.Outside.ReadAsync(buffer, Token) is > 0 and var count) total += count;
        total.Should().Be(4_000_005);
        (await attached).Should().Be(TerminalEnd.Closed);
    }

    private static IsolationOptions Options(string script) => new("/bin/sh", "-c", script) { Terminal = new TerminalOptions() };

    private static Task<IsolatedProcess> Start(string script) => IsolatedProcess.StartAsync(Options(script), Token);

    private static (SafeFileHandle Read, SafeFileHandle Write) Pipe()
    {
        Span<int> ends = stackalloc int[2];
        Kernel.pipe2(ends, Linux.O_CLOEXEC).Should().Be(0);
        return (new SafeFileHandle(ends[0], true), new SafeFileHandle(ends[1], true));
    }
}
