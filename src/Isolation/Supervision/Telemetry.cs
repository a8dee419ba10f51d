using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Isolation.Supervision;

/// <summary>What is counted and traced, for who listens to the meter and the activity source named "Isolation". Costs nothing else.</summary>
internal static class Telemetry
{
    private const string Name = "Isolation";

    private static readonly ActivitySource s_source = new(Name);
    private static readonly Meter s_meter = new(Name);
    private static readonly UpDownCounter<long> s_running =
        s_meter.CreateUpDownCounter<long>("isolation.processes", "{process}", "Sandboxes that run now.");
    private static readonly Histogram<double> s_start =
        s_meter.CreateHistogram<double>("isolation.start.duration", "s", "Time from the call to the program's exec, by whether it succeeded (error.type).");
    private static readonly Histogram<double> s_run =
        s_meter.CreateHistogram<double>("isolation.run.duration", "s", "Time from the call that started a program to its end, by the reason of it (isolation.end).");

    /// <summary>An activity around a start, or null when nobody listens.</summary>
    internal static Activity? Starting(IsolationOptions options)
    {
        var activity = s_source.StartActivity("isolation.start");
        activity?.SetTag("process.executable.path", options.FileName).SetTag("isolation.namespaces", options.Namespaces.ToString());
        return activity;
    }

    /// <summary>For the duration, where somebody wants it; else 0.</summary>
    internal static long Now() => s_start.Enabled ? Stopwatch.GetTimestamp() : 0;

    internal static void Started(Activity? activity, long since, ChildProcess child)
    {
        if (since != 0) s_start.Record(Stopwatch.GetElapsedTime(since).TotalSeconds);
        activity?.SetTag("process.pid", child.ProcessId);
    }

    internal static void Failed(Activity? activity, long since, Exception exception)
    {
        if (since != 0) s_start.Record(Stopwatch.GetElapsedTime(since).TotalSeconds, new KeyValuePair<string, object?>("error.type", exception.GetType().FullName));
        activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
        if (exception is IsolationException e) activity?.SetTag("isolation.step", e.Step).SetTag("isolation.errno", e.Errno);
    }

    internal static void Running(int change) => s_running.Add(change);

    internal static void Exited(in ProcessExitStatus status)
    {
        s_running.Add(-1);
        if (s_run.Enabled) s_run.Record(status.Duration.TotalSeconds, new KeyValuePair<string, object?>("isolation.end", s_reasons[(int)status.Reason]));
    }

    private static readonly string[] s_reasons = ["exited", "signaled", "killed", "timed_out", "canceled"];
}
