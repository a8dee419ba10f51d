using System.Diagnostics;
using System.Globalization;
using System.Text;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Samples;

/// <summary>A real terminal, with a screen that can be looked at: tmux(1), on a server of its own.</summary>
internal sealed class TmuxSession : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();

    private string Socket => _folder.Path + "/tmux";

    /// <summary>80 columns, 24 lines, running a shell's line.</summary>
    internal static async Task<TmuxSession> StartAsync(string line)
    {
        Programs.Require("tmux");
        var session = new TmuxSession();
        await session.Tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", line);
        return session;
    }

    /// <summary>Keys by tmux's names: words of several letters such as Enter and C-c, all else as it is.</summary>
    internal Task Keys(params string[] keys) => Tmux(["send-keys", .. keys]);

    internal Task Resize(int columns, int rows) =>
        Tmux("resize-window", "-x", columns.ToString(CultureInfo.InvariantCulture), "-y", rows.ToString(CultureInfo.InvariantCulture));

    /// <summary>What is on the screen, line by line.</summary>
    internal async Task<string[]> Screen() => (await Tmux("capture-pane", "-p")).TrimEnd('\n').Split('\n');

    /// <summary>Waits until the screen shows what it should.</summary>
    internal async Task<string[]> Until(string what, Func<string[], bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var screen = await Screen();
            if (condition(screen)) return screen;
            watch.Elapsed.Should().BeLessThan(s_patience, "{0}; there is\n{1}", what, string.Join('\n', screen));
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until the last line that is not empty is this one.</summary>
    internal Task<string[]> UntilLast(string line) => Until($"the last line is '{line}'", screen => screen.LastOrDefault(static text => text.Length > 0) == line);

    /// <summary>
    /// Types at a prompt. BusyBox asks the terminal where its cursor is at each, and loses keys that come together with the answer:
    /// one that may be lost comes first.
    /// </summary>
    internal async Task At(string prompt, params string[] keys)
    {
        await UntilLast(prompt);
        await Keys("x");
        for (var watch = Stopwatch.StartNew(); (await Screen()).LastOrDefault(static text => text.Length > 0) != prompt + " x";)
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(1))
            {
                await Keys("x");
                watch.Restart();
            }

            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        await Keys(["C-u", .. keys]);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Tmux("kill-server");
        }
        finally
        {
            _folder.Dispose();
        }
    }

    private async Task<string> Tmux(params string[] arguments)
    {
        var start = new ProcessStartInfo(Programs.Find("tmux")!, ["-S", Socket, "-u", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["SHELL"] = "/bin/sh";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.Should().Be(0, "tmux {0} said {1}", new StringBuilder().AppendJoin(' ', arguments), await error);
        return await output;
    }
}
