using System.Globalization;
using System.Runtime.InteropServices;

namespace Isolation.Benchmarks;

/// <summary>Where and when something was measured.</summary>
internal static class Machine
{
    internal static string Date => DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    internal static string Processor =>
        (from line in File.ReadLines("/proc/cpuinfo")
         where line.StartsWith("model name", StringComparison.Ordinal)
         select line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()).FirstOrDefault() ?? RuntimeInformation.ProcessArchitecture.ToString();

    internal static string Memory => string.Create(CultureInfo.InvariantCulture, $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30):0} GB");

    /// <summary>One line for people.</summary>
    internal static string Description => string.Join(" · ",
        $"{Environment.ProcessorCount} CPUs ({Processor})", Memory, RuntimeInformation.OSDescription, $"Linux {Environment.OSVersion.Version}",
        RuntimeInformation.FrameworkDescription, Environment.IsPrivilegedProcess ? "root" : "ordinary user", Date);
}
