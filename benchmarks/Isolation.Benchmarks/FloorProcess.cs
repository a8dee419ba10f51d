using System.Diagnostics;
using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The raw floor as a running process that takes one sample when asked, so that samples can be interleaved with ours.</summary>
internal sealed class FloorProcess : IDisposable
{
    private readonly Process _process;

    internal FloorProcess(string floor, string program)
    {
        _process = Process.Start(new ProcessStartInfo(floor, [program]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        _process.StandardInput.NewLine = "\n";
        _process.StandardInput.AutoFlush = true;
    }

    /// <summary>Takes a sample; its clock runs in the C program alone.</summary>
    internal Sample Measure(char command)
    {
        _process.StandardInput.WriteLine(command);
        var line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The floor has ended.");
        var fields = line.Split(' ');
        if (fields[0] == "!") throw new InvalidOperationException($"The floor could not do '{line[2..]}'.");
        return new Sample(Microseconds(fields[0]), Microseconds(fields[1]));
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static double Microseconds(string nanoseconds) => long.Parse(nanoseconds, CultureInfo.InvariantCulture) / 1000.0;
}
