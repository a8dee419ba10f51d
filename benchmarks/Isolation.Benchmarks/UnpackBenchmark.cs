using System.Diagnostics;
using System.Globalization;
using Isolation.Images;

namespace Isolation.Benchmarks;

/// <summary>What unpacking a layer costs beside tar(1), which has only the decompression and the files to make, and no digests.</summary>
internal static class UnpackBenchmark
{
    private const double Goal = 1.3;
    private const int MaxFiles = 10_000;
    private const long MaxBytes = 200L << 20;

    internal static async Task<int> RunAsync(UnpackSettings settings)
    {
        var work = Path.Combine(settings.WorkDirectory ?? "/dev/shm", $"isolation-unpack-{Environment.ProcessId}");
        Directory.CreateDirectory(work);
        try
        {
            var (files, bytes) = PackRealFiles(work);
            Console.WriteLine(Invariant($"Unpacking a layer: {files:N0} files, {bytes / 1e6:0} MB, {settings.Rounds} rounds, in turn; milliseconds, median"));
            Console.WriteLine($"{"",-14}{"tar -x",10}{"Isolation",12}{"ratio",10}   goal {Goal.ToString(CultureInfo.InvariantCulture)}");
            var isGood = true;
            foreach (var (name, file, option) in ((string, string, string)[])[("gzip", "layer.tar.gz", "-z"), ("zstd", "layer.tar.zst", "--zstd"), ("uncompressed", "layer.tar", "")])
                isGood &= await Compare(work, name, Path.Combine(work, file), option, settings.Rounds).ConfigureAwait(false);
            await MeasureMemory(work).ConfigureAwait(false);
            return isGood ? 0 : 1;
        }
        finally
        {
            Run("rm", "-rf", work);
        }
    }

    /// <summary>Files of this machine's /usr: what layers are made of, compressible as that is.</summary>
    private static (int Files, long Bytes) PackRealFiles(string work)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };
        var (count, bytes) = (0, 0L);
        using (var list = new StreamWriter(Path.Combine(work, "list")))
        {
            FileInfo[] all = [.. new DirectoryInfo("/usr").EnumerateFiles("*", options).Where(static f => f.Length < 16 << 20).OrderBy(static f => f.FullName, StringComparer.Ordinal)];
            // Evenly from all of it: a folder has files of one kind.
            for (var i = 0; i < all.Length && count < MaxFiles && bytes < MaxBytes; i += Math.Max(1, all.Length / MaxFiles))
            {
                list.WriteLine(all[i].FullName[1..]);
                count++;
                bytes += all[i].Length;
            }
        }

        var layer = Path.Combine(work, "layer.tar");
        Run("tar", "-C", "/", "-cf", layer, "--no-recursion", "-T", Path.Combine(work, "list"));
        Run("gzip", "-k", layer);
        Run("zstd", "-q", "-k", layer);
        return (count, bytes);
    }

    private static async Task<bool> Compare(string work, string name, string layer, string option, int rounds)
    {
        var layout = Path.Combine(work, "layout-" + name);
        SmallLayout.Write(layout, layer);
        List<double> tar = [], own = [];
        for (var i = -1; i < rounds; i++) // the first does not count
        {
            var folder = Path.Combine(work, "tree");
            Directory.CreateDirectory(folder);
            var time = Stopwatch.StartNew();
            Run("tar", [.. option.Length > 0 ? [option] : Array.Empty<string>(), "-xf", layer, "-C", folder]);
            if (i >= 0) tar.Add(time.Elapsed.TotalMilliseconds);
            Run("rm", "-rf", folder);
            time.Restart();
            using (var store = ImageStore.Open(folder))
                await store.ImportAsync(layout, new ImageImportOptions { FlushToDisk = false }).ConfigureAwait(false);
            if (i >= 0) own.Add(time.Elapsed.TotalMilliseconds);
            Run("rm", "-rf", folder);
        }

        var ratio = Median([.. tar.Zip(own, static (t, o) => o / t)]);
        // With nothing to decompress, what is left beside the files is the digest, which tar does not take.
        var verdict = option.Length == 0 ? "" : ratio <= Goal ? "✓" : "✗";
        Console.WriteLine(Invariant($"{name,-14}{Median(tar),10:0}{Median(own),12:0}{ratio,10:0.00}   {verdict}"));
        return option.Length == 0 || ratio <= Goal;
    }

    /// <summary>A hundred times the data must not take more memory.</summary>
    private static async Task MeasureMemory(string work)
    {
        Console.WriteLine("\nManaged memory allocated while a layer of zeros is unpacked");
        foreach (var megabytes in (int[])[10, 1000])
        {
            var folder = Path.Combine(work, "zeros");
            Directory.CreateDirectory(folder);
            Run("truncate", "-s", megabytes + "M", Path.Combine(folder, "zeros"));
            var layer = Path.Combine(work, $"zeros-{megabytes}.tar.gz");
            Run("tar", "-C", folder, "-czf", layer, "zeros");
            var layout = Path.Combine(work, $"layout-zeros-{megabytes}");
            SmallLayout.Write(layout, layer);
            var before = GC.GetTotalAllocatedBytes(precise: true);
            using (var store = ImageStore.Open(Path.Combine(work, "store")))
                await store.ImportAsync(layout, new ImageImportOptions { FlushToDisk = false }).ConfigureAwait(false);
            Console.WriteLine(Invariant($"  {megabytes,5} MB {(GC.GetTotalAllocatedBytes(precise: true) - before) / 1e6,8:0.0} MB"));
            Run("rm", "-rf", Path.Combine(work, "store"), folder, layer, layout);
        }
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} ends with {process.ExitCode}");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
