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
    private static readonly Counter<long> s_started =
        s_meter.CreateCounter<long>("isolation.processes.started", "{process}", "Sandboxes that were set up.");
    private static readonly Counter<long> s_exited =
        s_meter.CreateCounter<long>("isolation.processes.exited", "{process}", "Sandboxes that have ended, by why (isolation.end).");
    private static readonly Histogram<double> s_start =
        s_meter.CreateHistogram<double>("isolation.start.duration", "s", "Time from the call to the program's exec, or until one that is suspended is ready, by whether it succeeded (error.type).");
    private static readonly Histogram<double> s_release =
        s_meter.CreateHistogram<double>("isolation.release.duration", "s", "Time from the release of a suspended program to its exec, by whether it succeeded (error.type).");
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

    /// <summary>For the duration of a release, where somebody wants it; else 0.</summary>
    internal static long NowOfRelease() => s_release.Enabled ? Stopwatch.GetTimestamp() : 0;

    internal static void Released(long since, Exception? exception)
    {
        if (since == 0) return;
        var time = Stopwatch.GetElapsedTime(since).TotalSeconds;
        if (exception is null) s_release.Record(time);
        else s_release.Record(time, new KeyValuePair<string, object?>("error.type", exception.GetType().FullName));
    }

    internal static void Running()
    {
        s_started.Add(1);
        s_running.Add(1);
    }

    /// <summary>A suspended program could not be executed, which <see cref="Released"/> tells.</summary>
    internal static void NeverRan() => s_running.Add(-1);

    internal static void Exited(in ProcessExitStatus status)
    {
        s_running.Add(-1);
        if (!s_run.Enabled && !s_exited.Enabled) return;
        var end = new KeyValuePair<string, object?>("isolation.end", s_reasons[(int)status.Reason]);
        s_exited.Add(1, end);
        s_run.Record(status.Duration.TotalSeconds, end);
    }

    private static readonly string[] s_reasons = ["exited", "signaled", "killed", "timed_out", "canceled", "parent_exited"];
}
