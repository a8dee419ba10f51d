using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Isolation.Benchmarks;

/// <summary>The figures for people and for machines.</summary>
internal static class ContestReport
{
    private const int Width = 130;

    internal static void Print(TextWriter to, string title, Contest[] contests, int iterations)
    {
        to.WriteLine(Invariant($"\n{title}: microseconds, {iterations} rounds, all in turn in one run"));
        to.WriteLine(string.Join(" · ", RuntimeInformation.OSDescription, $"Linux {Environment.OSVersion.Version}", RuntimeInformation.ProcessArchitecture,
            $"{Environment.ProcessorCount} CPUs", RuntimeInformation.FrameworkDescription, Environment.IsPrivilegedProcess ? "root" : "ordinary user"));
        to.WriteLine(new string('━', Width));
        to.WriteLine($"{"",-34}{"──── to start ────",20}{"──── to exit ────",22}{"1st/this",12}{"this/1st",10}{"memory",10}");
        to.WriteLine($"{"",-34}{"p50",10}{"p99",10}{"p50",12}{"p99",10}{"start",12}{"exit",10}{"MB",10}");
        foreach (var contest in contests)
        {
            to.WriteLine(new string('─', Width));
            to.WriteLine(contest.Title);
            for (var i = 0; i < contest.Ways.Length; i++) Row(to, contest, i);
        }

        to.WriteLine(new string('━', Width));
    }

    private static void Row(TextWriter to, Contest contest, int index)
    {
        var way = contest.Ways[index];
        var series = contest.Series[index];
        if (way.Measure is null)
        {
            to.WriteLine($"  {way.Title,-32}absent: {way.Note}");
            return;
        }

        var (startOfOurs, exitOfOthers) = (contest.StartOfOurs(index), contest.ExitOfOthers(index));
        to.Write($"  {way.Title,-32}");
        to.Write(way.ExitOnly ? $"{"",20}" : Invariant($"{series.Start(0.5),10:0}{series.Start(0.99),10:0}"));
        to.Write(Invariant($"{series.Exit(0.5),12:0}{series.Exit(0.99),10:0}"));
        if (index > 0)
        {
            to.Write(way.ExitOnly ? $"{"",12}" : Invariant($"{startOfOurs,11:0.00}x"));
            to.Write(Invariant($"{exitOfOthers,9:0.00}x"));
        }
        else
        {
            to.Write($"{"",22}");
        }

        to.Write(series.PeakMemory > 0 ? $"{Megabytes(series.PeakMemory),10}" : $"{"",10}");

        if (way.MostOfStart > 0) to.Write(Invariant($"  goal {way.MostOfStart:0.00}x {(startOfOurs <= way.MostOfStart ? "✓" : "✗")}"));
        if (way.LeastOfExit > 0) to.Write(Invariant($"  goal {way.LeastOfExit:0}x {(exitOfOthers >= way.LeastOfExit ? "✓" : "✗")}"));
        to.WriteLine(way.Note.Length > 0 ? "  " + way.Note : "");
    }

    internal static void WriteJson(string file, Contest[] contests, int iterations, Action<Utf8JsonWriter>? more = null)
    {
        using var stream = File.Create(file);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("unit", "microseconds");
        json.WriteString("system", RuntimeInformation.OSDescription);
        json.WriteString("kernel", Environment.OSVersion.Version.ToString());
        json.WriteString("architecture", RuntimeInformation.ProcessArchitecture.ToString());
        json.WriteString("runtime", RuntimeInformation.FrameworkDescription);
        json.WriteNumber("processors", Environment.ProcessorCount);
        json.WriteString("processor", Machine.Processor);
        json.WriteString("date", Machine.Date);
        json.WriteBoolean("root", Environment.IsPrivilegedProcess);
        json.WriteNumber("iterations", iterations);
        more?.Invoke(json);
        json.WriteStartObject("contests");
        foreach (var contest in contests)
        {
            json.WriteStartObject(contest.Key);
            for (var i = 0; i < contest.Ways.Length; i++) Write(json, contest, i);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Contest contest, int index)
    {
        var way = contest.Ways[index];
        var series = contest.Series[index];
        json.WriteStartObject(way.Key);
        if (way.Note.Length > 0) json.WriteString(way.Measure is null ? "absent" : "note", way.Note);
        if (way.Measure is not null)
        {
            if (!way.ExitOnly)
            {
                Number(json, "startP10", series.Start(0.1));
                Number(json, "startP50", series.Start(0.5));
                Number(json, "startP99", series.Start(0.99));
            }

            Number(json, "exitP10", series.Exit(0.1));
            Number(json, "exitP50", series.Exit(0.5));
            Number(json, "exitP99", series.Exit(0.99));
            json.WriteNumber("samples", series.Count);
            if (series.PeakMemory > 0) json.WriteNumber("peakMemoryKilobytes", series.PeakMemory);
            json.WriteString("title", way.Title);
            if (index > 0 && !way.ExitOnly) Number(json, "startOfFirstToThis", contest.StartOfOurs(index));
            if (index > 0) Number(json, "exitOfThisToFirst", contest.ExitOfOthers(index));
        }

        json.WriteEndObject();
    }

    internal static string Megabytes(long kilobytes) => (kilobytes / 1024.0).ToString(kilobytes < 1000 ? "0.00" : "0.0", CultureInfo.InvariantCulture);

    private static void Number(Utf8JsonWriter json, string name, double value) => json.WriteNumber(name, Math.Round(value, 3));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
