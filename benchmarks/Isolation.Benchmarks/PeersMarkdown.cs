using System.Globalization;
using System.Text;

namespace Isolation.Benchmarks;

/// <summary>The table as a page.</summary>
internal static class PeersMarkdown
{
    internal static string Write(Contest[] contests, int iterations)
    {
        var text = new StringBuilder();
        text.Append("# Side by side\n\n");
        text.Append("Written by `dotnet run -c Release --project benchmarks/Isolation.Benchmarks -- peers --markdown docs/peers.md --chart docs/peers.svg`.\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{Machine.Description}, {iterations} rounds, all in turn in one run.\n\n");
        text.Append("![Start to exit](peers.svg)\n\n");
        text.Append(
            """
            The job: an empty root with four folders of the host bound into it read-only, `/proc`, `/dev` with six devices, terminals and
            shared memory, `/tmp`; new pid, mount, uts, ipc, net (loopback up) and cgroup namespaces; no capabilities; a static program
            that ends at once. Times are in microseconds. *start* is the return of the call that starts it, when the program has been
            executed; programs that are started by a command have only an end. *×* is the time to the program's exit as a multiple of
            the first line. *memory* is the largest resident set of a process that is started for it, in MB; who starts it is not
            counted, be it .NET, C, a shell or a daemon.


            """);
        foreach (var contest in contests) Table(text, contest);
        return text.ToString();
    }

    private static void Table(StringBuilder text, Contest contest)
    {
        text.Append(CultureInfo.InvariantCulture, $"## {char.ToUpperInvariant(contest.Title[0])}{contest.Title[1..]}\n\n");
        text.Append("| | start p50 | p99 | exit p50 | p99 | × | memory | samples | |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n");
        foreach (var i in Order(contest))
        {
            var (way, series) = (contest.Ways[i], contest.Series[i]);
            var start = way.ExitOnly ? " | | " : Invariant($" | {series.Start(0.5):0} | {series.Start(0.99):0}");
            var memory = series.PeakMemory > 0 ? ContestReport.Megabytes(series.PeakMemory) : "";
            text.Append(CultureInfo.InvariantCulture,
                $"| {way.Title}{start} | {series.Exit(0.5):0} | {series.Exit(0.99):0} | {Times(contest.ExitOfOthers(i))} | {memory} | {series.Count} | {way.Note} |\n");
        }

        text.Append('\n');
        foreach (var way in contest.Ways)
            if (way.Measure is null) text.Append(CultureInfo.InvariantCulture, $"- {way.Title}: {way.Note}\n");
        if (contest.Ways.Any(static way => way.Measure is null)) text.Append('\n');
    }

    /// <summary>From the fastest on.</summary>
    internal static IEnumerable<int> Order(Contest contest) =>
        Enumerable.Range(0, contest.Ways.Length).Where(i => contest.Ways[i].Measure is not null).OrderBy(i => contest.Series[i].Exit(0.5));

    internal static string Times(double ratio) => ratio < 9.95 ? Invariant($"{ratio:0.00}") : Invariant($"{ratio:0}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
