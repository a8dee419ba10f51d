using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Isolation.Benchmarks;

/// <summary>The figures for people and for machines.</summary>
internal static class SpawnReport
{
    private const int Width = 98;

    internal static void Print(TextWriter to, ScenarioResult[] plain, ScenarioResult[]? heavy, SpawnSettings settings, Workspace workspace)
    {
        to.WriteLine(Invariant($"\nWhat a start costs: microseconds, {settings.Iterations} rounds, all in turn in one run"));
        to.WriteLine(string.Join(" · ", RuntimeInformation.OSDescription, $"Linux {Environment.OSVersion.Version}", RuntimeInformation.ProcessArchitecture,
            $"{Environment.ProcessorCount} CPUs", RuntimeInformation.FrameworkDescription, Environment.IsPrivilegedProcess ? "root" : "ordinary user",
            Path.GetFileName(workspace.Program)));
        Table(to, plain, workspace);
        if (heavy is null) return;
        to.WriteLine(Invariant($"\nThe same with {settings.HeapMegabytes} MB of live managed objects"));
        Table(to, heavy, workspace);
        to.WriteLine(Invariant($"\nWhat {settings.HeapMegabytes} MB of heap change, to start (raw C has no heap: its change is the machine's)"));
        for (var i = 0; i < plain.Length; i++)
        {
            to.Write($"  {plain[i].Scenario.Key,-16}");
            if (plain[i].Isolated.Count > 0) to.Write(Invariant($" IsolatedProcess.Start {Change(plain[i].Isolated, heavy[i].Isolated):0.00}x"));
            to.Write(Invariant($" Process.Start {Change(plain[i].Process, heavy[i].Process):0.00}x"));
            if (plain[i].Floor.Count > 0) to.Write(Invariant($" raw C {Change(plain[i].Floor, heavy[i].Floor):0.00}x"));
            to.WriteLine();
        }
    }

    private static double Change(Series before, Series after) => after.Start(0.5) / before.Start(0.5);

    private static void Table(TextWriter to, ScenarioResult[] results, Workspace workspace)
    {
        to.WriteLine(new string('━', Width));
        to.WriteLine($"{"",-34}{"──── to start ────",20}{"──── to exit ────",22}{"managed",14}");
        to.WriteLine($"{"",-34}{"p50",10}{"p99",10}{"p50",12}{"p99",10}{"bytes",14}");
        foreach (var result in results)
        {
            to.WriteLine(new string('─', Width));
            to.WriteLine(result.Scenario.Title);
            if (result.Floor.Count > 0) Row(to, "raw C", result.Floor, isManaged: false);
            else to.WriteLine($"  {"raw C",-32}{workspace.Note}");
            Row(to, "Process.Start", result.Process, isManaged: true);
            if (result.Isolated.Count == 0) continue;
            Row(to, "IsolatedProcess.Start", result.Isolated, isManaged: true);
            Ratio(to, "/ Process.Start", result.StartToProcess, result.ExitToProcess, result.Scenario.MostOfProcessStart);
            if (result.Floor.Count > 0) Ratio(to, "/ raw C", result.StartToFloor, result.ExitToFloor, result.Scenario.MostOfFloor);
        }

        to.WriteLine(new string('━', Width));
    }

    private static void Row(TextWriter to, string name, Series series, bool isManaged) =>
        to.WriteLine(Invariant($"  {name,-32}{series.Start(0.5),10:0}{series.Start(0.99),10:0}{series.Exit(0.5),12:0}{series.Exit(0.99),10:0}") +
            (isManaged ? Invariant($"{series.AllocatedEach,14:N0}") : ""));

    private static void Ratio(TextWriter to, string name, double start, double exit, double most) =>
        to.WriteLine(Invariant($"    {name,-30}{start,9:0.00}x{"",10}{exit,11:0.00}x") +
            (most > 0 ? Invariant($"{"",10}  start: goal {most:0.00}x {(start <= most ? "✓" : "✗")}") : ""));

    internal static void WriteJson(string file, ScenarioResult[] plain, ScenarioResult[]? heavy, SpawnSettings settings, Workspace workspace)
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
        json.WriteString("program", Path.GetFileName(workspace.Program));
        json.WriteNumber("iterations", settings.Iterations);
        Write(json, "scenarios", plain);
        if (heavy is not null)
        {
            json.WriteNumber("heapMegabytes", settings.HeapMegabytes);
            Write(json, "scenariosWithHeap", heavy);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, ScenarioResult[] results)
    {
        json.WriteStartObject(name);
        foreach (var result in results)
        {
            json.WriteStartObject(result.Scenario.Key);
            Write(json, "floor", result.Floor, isManaged: false);
            Write(json, "processStart", result.Process, isManaged: true);
            Write(json, "isolatedProcessStart", result.Isolated, isManaged: true);
            if (result.Isolated.Count > 0)
            {
                Number(json, "startToProcessStart", result.StartToProcess);
                Number(json, "exitToProcessStart", result.ExitToProcess);
                if (result.Floor.Count > 0)
                {
                    Number(json, "startToFloor", result.StartToFloor);
                    Number(json, "exitToFloor", result.ExitToFloor);
                }
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, Series series, bool isManaged)
    {
        if (series.Count == 0) return;
        json.WriteStartObject(name);
        Number(json, "startP10", series.Start(0.1)); // steadier than the median on a machine that does other things as well
        Number(json, "startP50", series.Start(0.5));
        Number(json, "startP99", series.Start(0.99));
        Number(json, "exitP10", series.Exit(0.1));
        Number(json, "exitP50", series.Exit(0.5));
        Number(json, "exitP99", series.Exit(0.99));
        if (isManaged) json.WriteNumber("allocatedBytes", series.AllocatedEach);
        json.WriteEndObject();
    }

    private static void Number(Utf8JsonWriter json, string name, double value) => json.WriteNumber(name, Math.Round(value, 3));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
