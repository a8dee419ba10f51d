using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

[Collection(AloneCollection.Name)] // the instruments are the process's own
public class TelemetryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task Starts_runs_and_ends_are_measured()
    {
        var seen = new ConcurrentQueue<(string Name, double Value, string Tags)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Isolation") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => seen.Enqueue((instrument.Name, value, Text(tags))));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => seen.Enqueue((instrument.Name, value, Text(tags))));
        listener.Start();

        await using (await Sandbox.Waiting())
        {
            seen.Should().Contain(("isolation.processes", 1, ""));
        }

        _ = await IsolatedProcess.RunAsync(new("true"), Token);
        var missing = () => IsolatedProcess.Run(new("/nothing-here"));
        missing.Should().Throw<IsolationException>();
        IsolatedProcess.Run(new("sleep", "60"), TimeSpan.FromSeconds(1)).Canceled.Should().BeTrue();
        using (var cancellation = new CancellationTokenSource(1000)) _ = await IsolatedProcess.RunAsync(new("sleep", "60"), cancellation.Token);

        var values = seen.ToArray();
        values.Where(value => value.Name == "isolation.processes").Sum(value => value.Value).Should().Be(0, "all have ended");
        values.Where(value => value.Name == "isolation.run.duration").Select(value => value.Tags)
            .Should().Equal("isolation.end=killed", "isolation.end=exited", "isolation.end=timed_out", "isolation.end=canceled");
        values.Where(value => value.Name == "isolation.processes.exited").Select(value => value.Tags)
            .Should().Equal("isolation.end=killed", "isolation.end=exited", "isolation.end=timed_out", "isolation.end=canceled");
        values.Where(value => value.Name == "isolation.processes.started").Should().HaveCount(4);
        var starts = values.Where(value => value.Name == "isolation.start.duration").ToArray();
        starts.Select(value => value.Tags).Should().Equal("", "", "error.type=Isolation.IsolationException", "", "");
        starts.Should().OnlyContain(value => value.Value > 0 && value.Value < 20, "it is in seconds");

        static string Text(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var text = "";
            foreach (var tag in tags) text += $"{tag.Key}={tag.Value}";
            return text;
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_release_is_measured_and_what_never_ran_is_no_run()
    {
        var seen = new ConcurrentQueue<(string Name, double Value)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Isolation") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => seen.Enqueue((instrument.Name, value)));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => seen.Enqueue((instrument.Name, value)));
        listener.Start();

        await using (var process = await IsolatedProcess.StartSuspendedAsync(new("true"), Token))
        {
            await process.ReleaseAsync(Token);
            await process.WaitForExitAsync(Token);
        }

        await using (var process = await IsolatedProcess.StartSuspendedAsync(new("/nothing-here"), Token))
        {
            var release = process.Release;
            release.Should().Throw<IsolationException>();
        }

        seen.Where(static value => value.Name == "isolation.release.duration").Should().HaveCount(2).And.OnlyContain(static value => value.Value > 0 && value.Value < 20);
        seen.Where(static value => value.Name == "isolation.processes").Sum(static value => value.Value).Should().Be(0);
        seen.Count(static value => value.Name == "isolation.run.duration").Should().Be(1);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_start_is_an_activity_that_tells_what_failed()
    {
        var activities = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Isolation",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activities.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);

        int pid;
        await using (var process = await Sandbox.Waiting()) pid = process.ProcessId;
        var missing = async () => await IsolatedProcess.StartAsync(new("/nothing-here"), Token);
        await missing.Should().ThrowAsync<IsolationException>();

        activities.Should().HaveCount(2).And.OnlyContain(activity => activity.OperationName == "isolation.start");
        var (first, second) = (activities.First(), activities.Last());
        first.GetTagItem("process.pid").Should().Be(pid);
        first.Status.Should().Be(ActivityStatusCode.Unset);
        second.Status.Should().Be(ActivityStatusCode.Error);
        second.GetTagItem("isolation.step").Should().Be("execute the program");
        second.GetTagItem("isolation.errno").Should().Be(2);
    }
}
