using System.Globalization;

namespace Isolation.Benchmarks;

/// <summary>The raw floor as a running process that takes one sample when asked, so that samples can be interleaved with ours.</summary>
internal sealed class FloorProcess : IDisposable
{
    private readonly IsolatedProcess _process;
    private readonly StreamWriter _requests;
    private readonly StreamReader _answers;

    internal FloorProcess(string floor, string program, string tree, string? filter = null)
    {
        var options = Helper.Options(floor, [program, tree]);
        if (filter is not null) options.Environment["FLOOR_FILTER"] = filter;
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        _process = IsolatedProcess.Start(options);
        _requests = new StreamWriter(_process.StandardInput) { NewLine = "\n", AutoFlush = true };
        _answers = new StreamReader(_process.StandardOutput);
    }

    /// <summary>Takes a sample; its clock runs in the C program alone.</summary>
    internal Sample Measure(char command) => Ask(command.ToString());

    /// <summary>Takes a sample of another program, found by its full path; only its exit is worth looking at.</summary>
    internal Sample Measure(IEnumerable<string> command, bool once = false) => Ask((once ? "y\t" : "x\t") + string.Join('\t', command));

    /// <summary>How many samples of a kind are possible, one after the other, in that time.</summary>
    internal long Count(char command, TimeSpan time) => (long)(Ask(string.Create(CultureInfo.InvariantCulture, $"t{command} {time.TotalMilliseconds:0}")).Start * 1000);

    private Sample Ask(string request)
    {
        _requests.WriteLine(request);
        var line = _answers.ReadLine() ?? throw new InvalidOperationException("The floor has ended.");
        var fields = line.Split(' ');
        if (fields[0] == "!") throw new InvalidOperationException($"The floor could not do '{line[2..]}'.");
        return new Sample(Microseconds(fields[0]), Microseconds(fields[1]), Memory: long.Parse(fields[2], CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        _requests.Dispose();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static double Microseconds(string nanoseconds) => long.Parse(nanoseconds, CultureInfo.InvariantCulture) / 1000.0;
}
