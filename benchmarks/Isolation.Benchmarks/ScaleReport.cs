using System.Globalization;
using System.Text.Json;

namespace Isolation.Benchmarks;

/// <summary>The figures for people and for machines.</summary>
internal sealed class ScaleReport(ScaleSettings settings)
{
    private const int Width = 104;
    private const double MostGrowth = 1.15, LeastThroughput = 0.9, MostManagedEach = 6 * 1024;

    private readonly List<(string Key, string Title, List<HostState> States)> _axes = [];
    private readonly List<Throughput> _throughput = [];

    /// <summary>Bytes of the host for each live sandbox with two pipes.</summary>
    internal double ManagedEach { get; set; }

    internal double ResidentEach { get; set; }

    /// <summary>A way to grow, with the state that it begins in.</summary>
    internal void Base(string key, string title, HostState state) => _axes.Add((key, title, [state]));

    internal void Add(string key, HostState state) => _axes.Find(axis => axis.Key == key).States.Add(state);

    internal void Add(Throughput throughput) => _throughput.Add(throughput);

    internal void Print(TextWriter to)
    {
        to.WriteLine(Invariant($"\nHow a start scales: pid + mount + /proc without any privilege, microseconds to the return of Start, median of {settings.Iterations}"));
        to.WriteLine(Machine.Description);
        to.WriteLine(new string('━', Width));
        to.WriteLine($"{"",-34}{"Start",10}{"grown",9}{"with 2 pipes",15}{"grown",9}{"raw C",10}{"grown",9}");
        foreach (var (_, title, states) in _axes)
        {
            to.WriteLine(new string('─', Width));
            to.WriteLine(title);
            foreach (var state in states)
            {
                var (plain, piped, floor) = Growth(states[0], state);
                to.Write(Invariant($"  {state.Title,-32}{state.Plain.Start(0.5),10:0}{plain,8:0.00}x{state.Piped.Start(0.5),15:0}{piped,8:0.00}x{state.Floor.Start(0.5),10:0}{floor,8:0.00}x"));
                to.WriteLine(state == states[0] ? "" : IsFlat(states[0], state) ? "  ✓" : "  ✗");
            }
        }

        to.WriteLine(new string('━', Width));
        to.WriteLine(Invariant($"{"starts a second, from start to exit",-50}{"threads",8}{"ours",10}{"raw C",10}{"ours/raw C",14}   goal {LeastThroughput:0.0}x"));
        foreach (var item in _throughput)
            to.WriteLine(Invariant($"  {item.Title,-48}{item.Threads,8}{item.Ours,10:0}{item.Floor,10:0}{item.Ratio,13:0.00}x   {(item.Ratio >= LeastThroughput ? "✓" : "✗")}"));
        to.WriteLine(new string('━', Width));
        to.WriteLine(Invariant($"for each live sandbox with two pipes: {ManagedEach:N0} bytes managed (goal {MostManagedEach:N0} {(ManagedEach <= MostManagedEach ? "✓" : "✗")}), {ResidentEach:N0} bytes resident in all"));
    }

    /// <summary>Raw C has nothing of the host's but its mounts: by how much that grows is the kernel's affair.</summary>
    private static bool IsFlat(HostState before, HostState state)
    {
        var kernels = Math.Max(0, state.Floor.Start(0.5) - before.Floor.Start(0.5));
        return Math.Max((state.Plain.Start(0.5) - kernels) / before.Plain.Start(0.5), (state.Piped.Start(0.5) - kernels) / before.Piped.Start(0.5)) <= MostGrowth;
    }

    private static (double Plain, double Piped, double Floor) Growth(HostState before, HostState state) =>
        (state.Plain.Start(0.5) / before.Plain.Start(0.5), state.Piped.Start(0.5) / before.Piped.Start(0.5), state.Floor.Start(0.5) / before.Floor.Start(0.5));

    internal void WriteJson(string file)
    {
        using var stream = File.Create(file);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("unit", "microseconds");
        json.WriteString("machine", Machine.Description);
        json.WriteNumber("iterations", settings.Iterations);
        foreach (var (key, _, states) in _axes)
        {
            json.WriteStartObject(key);
            foreach (var state in states)
            {
                json.WriteStartObject(state.Key);
                Number(json, "startP50", state.Plain.Start(0.5));
                Number(json, "startP99", state.Plain.Start(0.99));
                Number(json, "startWithPipesP50", state.Piped.Start(0.5));
                Number(json, "startWithPipesP99", state.Piped.Start(0.99));
                Number(json, "floorP50", state.Floor.Start(0.5));
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteStartArray("throughput");
        foreach (var item in _throughput)
        {
            json.WriteStartObject();
            json.WriteString("job", item.Key);
            json.WriteNumber("threads", item.Threads);
            Number(json, "startsPerSecond", item.Ours);
            Number(json, "startsPerSecondOfFloor", item.Floor);
            Number(json, "ratio", item.Ratio);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        Number(json, "managedBytesPerLiveSandbox", ManagedEach);
        Number(json, "residentBytesPerLiveSandbox", ResidentEach);
        json.WriteEndObject();
    }

    private static void Number(Utf8JsonWriter json, string name, double value) => json.WriteNumber(name, Math.Round(value, 3));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
