using System.Globalization;
using System.Runtime.InteropServices;

namespace Isolation.Benchmarks;

/// <summary>
/// What protection adds to a start. Four ways in turn, in changing order: raw C and IsolatedProcess.Start, each without protection and with
/// no_new_privs, an empty bounding set, no capabilities, an empty session keyring and the default filter.
/// </summary>
internal static class PrivilegesBenchmark
{
    private const double MostBeyondRaw = 80;
    private const int WarmUp = 200;

    internal static int Run(SpawnSettings settings)
    {
        using var workspace = new Workspace(settings.WorkDirectory, settings.Program);
        if (workspace.Floor is not { } path)
        {
            Console.Error.WriteLine($"This needs a program in C. {workspace.Note}");
            return 1;
        }

        var filter = Path.Combine(workspace.Tree, "filter");
        File.WriteAllBytes(filter, SeccompProfile.Default.Compile(capabilities: 0).Code);
        using var floor = new FloorProcess(path, workspace.Program, workspace.Tree, filter);
        var bare = Scenario.PidMountProc(workspace.Program);
        bare.Security = SecurityOptions.Unconfined;
        var strict = Scenario.PidMountProc(workspace.Program);
        strict.Security = SecurityOptions.Default;
        Func<Sample>[] ways =
        [
            () => floor.Measure('q'), () => floor.Measure('s'),
            () => SpawnBenchmark.Second(() => SpawnBenchmark.StartIsolated(bare)), () => SpawnBenchmark.Second(() => SpawnBenchmark.StartIsolated(strict)),
        ];
        try
        {
            _ = Measure(ways, WarmUp);
            Thread.Sleep(TimeSpan.FromMilliseconds(300)); // for what the just-in-time compiler does in the background
            Print(Measure(ways, settings.Iterations), settings);
            return 0;
        }
        catch (Exception e) when (e is IsolationException or InvalidOperationException or IOException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static Series[] Measure(Func<Sample>[] ways, int iterations)
    {
        var results = Array.ConvertAll(ways, _ => new Series(iterations));
        var random = new Random(1);
        int[] order = [0, 1, 2, 3];
        for (var i = 0; i < iterations; i++)
        {
            random.Shuffle(order);
            foreach (var way in order) results[way].Add(ways[way]());
        }

        return results;
    }

    private static void Print(Series[] results, SpawnSettings settings)
    {
        var to = Console.Out;
        to.WriteLine(Invariant($"\nWhat protection adds to a start (pid + mount namespaces, fresh /proc): microseconds to the return of Start, {settings.Iterations} rounds, all in turn in one run"));
        to.WriteLine(string.Join(" · ", RuntimeInformation.OSDescription, RuntimeInformation.ProcessArchitecture, $"{Environment.ProcessorCount} CPUs",
            RuntimeInformation.FrameworkDescription, Environment.IsPrivilegedProcess ? "root" : "ordinary user",
            $"a filter of {SeccompProfile.Default.Compile(capabilities: 0).Length} instructions"));
        to.WriteLine(new string('━', 98));
        to.WriteLine($"{"median",-34}{"without",12}{"with",12}{"added",12}{"managed bytes",28}");
        var raw = Row("raw C", results[0], results[1], isManaged: false);
        var ours = Row("IsolatedProcess.Start", results[2], results[3], isManaged: true);
        to.WriteLine(new string('─', 98));
        to.WriteLine(Invariant($"added beyond raw C: {ours - raw:0.0} (goal: at most {MostBeyondRaw:0})  {(ours - raw <= MostBeyondRaw ? "met" : "missed")}"));

        double Row(string title, Series without, Series with, bool isManaged)
        {
            var added = with.Start(0.5) - without.Start(0.5);
            to.WriteLine(Invariant($"  {title,-32}{without.Start(0.5),12:0.0}{with.Start(0.5),12:0.0}{added,12:0.0}") +
                (isManaged ? Invariant($"{without.AllocatedEach,20} {with.AllocatedEach,7}") : ""));
            return added;
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
