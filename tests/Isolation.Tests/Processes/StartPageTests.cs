using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using FluentAssertions;
using Isolation.Tests.Hosts;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>docs/start.md lists the calls of a start. They are compared with a trace of one.</summary>
public sealed partial class StartPageTests : IDisposable
{
    private readonly string _trace = Path.GetTempFileName();

    /// <summary>The runtime's own, which it makes when it likes.</summary>
    private static readonly string[] s_runtimes = ["madvise", "membarrier", "mmap", "mprotect", "munmap", "sched_yield"];

    public void Dispose() => File.Delete(_trace);

    [Fact(Timeout = 60_000)]
    public async Task The_page_lists_every_call_of_a_start_and_no_other()
    {
        Assert.SkipUnless(Privilege.CanAdminister, "The page is about a start as root.");
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "The page is about x64.");
        Programs.Require("strace");
        using (var probe = Process.Start(new ProcessStartInfo("strace", ["-o", "/dev/null", "true"]) { RedirectStandardError = true })!)
        {
            await probe.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.SkipWhen(probe.ExitCode != 0, "No process may be traced here (ptrace).");
        }

        await HostApp.ExpectFineAsync(["strace", "-f", "-o", _trace, .. HostApp.Command, "traced"], TestContext.Current.CancellationToken);

        var seen = Read(File.ReadLines(_trace));
        var page = Page(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "start.md"), TestContext.Current.CancellationToken));
        foreach (var who in (string[])["host", "stub", "stage"])
        {
            seen[who].Keys.Should().BeEquivalentTo(page[who].Keys, "these are the calls that the page says of the {0}", who);
            foreach (var (call, (least, most)) in page[who])
                seen[who][call].Should().BeInRange(least, call == "futex" ? int.MaxValue : most, "so often the page says that the {0} calls {1}", who, call);
        }
    }

    /// <summary>The calls of the thread that started between its marks, and those of the child up to the program.</summary>
    private static Dictionary<string, Dictionary<string, int>> Read(IEnumerable<string> trace)
    {
        var calls = new Dictionary<string, Dictionary<string, int>> { ["host"] = [], ["stub"] = [], ["stage"] = [] };
        var (host, child, who, over) = ("", "", "stub", false);
        foreach (var line in trace)
        {
            if (Call().Match(line) is not { Success: true } call) continue;
            var (thread, name) = (call.Groups["thread"].Value, call.Groups["name"].Value);
            if (name == "prctl" && line.Contains("PR_GET_DUMPABLE", StringComparison.Ordinal))
            {
                if (host.Length > 0) break;
                host = thread;
            }
            else if (host.Length > 0 && thread == host)
            {
                if (!s_runtimes.Contains(name)) Count("host", name);
            }
            else if (host.Length > 0 && !over && (thread == child || child.Length == 0 && calls["host"].ContainsKey("clone3") && name == "personality"))
            {
                child = thread; // which nobody but a stub begins with
                Count(who, name);
                if (name == "execveat") who = "stage";
                over = name == "execve";
            }
        }

        return calls;

        void Count(string by, string name) => calls[by][name] = calls[by].GetValueOrDefault(name) + 1;
    }

    /// <summary>The table's calls, with how often at least and at most.</summary>
    private static Dictionary<string, Dictionary<string, (int Least, int Most)>> Page(string text)
    {
        var calls = new Dictionary<string, Dictionary<string, (int Least, int Most)>>();
        foreach (Match row in Row().Matches(text))
        {
            var who = row.Groups["who"].Value;
            if (!calls.TryGetValue(who, out var own)) calls[who] = own = [];
            foreach (Match item in Item().Matches(row.Groups["calls"].Value))
            {
                var least = item.Groups["least"].Success ? int.Parse(item.Groups["least"].Value, CultureInfo.InvariantCulture) : 1;
                var most = item.Groups["most"].Success ? int.Parse(item.Groups["most"].Value, CultureInfo.InvariantCulture) : least;
                var (before, after) = own.GetValueOrDefault(item.Groups["name"].Value);
                own[item.Groups["name"].Value] = (before + least, after + most);
            }
        }

        return calls;
    }

    [GeneratedRegex(@"^(?<thread>\d+) +(?<name>\w+)\(")]
    private static partial Regex Call();

    [GeneratedRegex(@"(?m)^\| (?<who>host|stub|stage) \| (?<calls>[^|]+) \|")]
    private static partial Regex Row();

    [GeneratedRegex(@"`(?<name>\w+)[^`]*`(?: × (?<least>\d+)(?: to (?<most>\d+))?)?")]
    private static partial Regex Item();
}
