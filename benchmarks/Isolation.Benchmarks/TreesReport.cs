using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Isolation.Benchmarks;

/// <summary>The figures for people and for machines.</summary>
internal static class TreesReport
{
    private const int Width = 110;

    internal static void Print(TextWriter to, Contest[] contests, TreesSettings settings)
    {
        to.WriteLine(Invariant($"\nWhat a root of its own costs: microseconds, {settings.Iterations} rounds, all in turn in one run"));
        to.WriteLine(string.Join(" · ", RuntimeInformation.OSDescription, $"Linux {Environment.OSVersion.Version}", RuntimeInformation.ProcessArchitecture,
            $"{Environment.ProcessorCount} CPUs", RuntimeInformation.FrameworkDescription, Environment.IsPrivilegedProcess ? "root" : "ordinary user"));
        to.WriteLine(new string('━', Width));
        to.WriteLine($"{"",-24}{"──── to start ────",20}{"──── to exit ────",22}{"1st/this",12}{"this/1st",10}");
        to.WriteLine($"{"",-24}{"p50",10}{"p99",10}{"p50",12}{"p99",10}{"start",12}{"exit",10}");
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
            to.WriteLine($"  {way.Title,-22}absent: {way.Note}");
            return;
        }

        var (startOfOurs, exitOfOthers) = (contest.StartOfOurs(index), contest.ExitOfOthers(index));
        to.Write($"  {way.Title,-22}");
        to.Write(way.ExitOnly ? $"{"",20}" : Invariant($"{series.Start(0.5),10:0}{series.Start(0.99),10:0}"));
        to.Write(Invariant($"{series.Exit(0.5),12:0}{series.Exit(0.99),10:0}"));
        if (index > 0)
        {
            to.Write(way.ExitOnly ? $"{"",12}" : Invariant($"{startOfOurs,11:0.00}x"));
            to.Write(Invariant($"{exitOfOthers,9:0.00}x"));
        }

        if (way.MostOfStart > 0) to.Write(Invariant($"  goal {way.MostOfStart:0.00}x {(startOfOurs <= way.MostOfStart ? "✓" : "✗")}"));
        if (way.LeastOfExit > 0) to.Write(Invariant($"  goal {way.LeastOfExit:0}x {(exitOfOthers >= way.LeastOfExit ? "✓" : "✗")}"));
        to.WriteLine(way.Note.Length > 0 ? "  " + way.Note : "");
    }

    internal static void WriteJson(string file, Contest[] contests, TreesSettings settings)
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
        json.WriteBoolean("root", Environment.IsPrivilegedProcess);
        json.WriteNumber("iterations", settings.Iterations);
        json.WriteNumber("files", settings.Files);
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
            if (index > 0 && !way.ExitOnly) Number(json, "startOfFirstToThis", contest.StartOfOurs(index));
            if (index > 0) Number(json, "exitOfThisToFirst", contest.ExitOfOthers(index));
        }

        json.WriteEndObject();
    }

    private static void Number(Utf8JsonWriter json, string name, double value) => json.WriteNumber(name, Math.Round(value, 3));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
