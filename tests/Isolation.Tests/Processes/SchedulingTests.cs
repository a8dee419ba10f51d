using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class SchedulingTests
{
    // Fields of /proc/PID/stat, proc_pid_stat(5).
    private const int Nice = 19, RealTimePriority = 40, Policy = 41;

    [Theory(Timeout = 30_000)]
    [InlineData(SchedulingPolicy.Other, 0)]
    [InlineData(SchedulingPolicy.Batch, 3)]
    [InlineData(SchedulingPolicy.Idle, 5)]
    public async Task A_program_and_what_it_starts_give_way(SchedulingPolicy policy, int number)
    {
        foreach (var useInit in (bool[])[false, true])
        {
            var options = Sandbox.Shell("cat /proc/$$/stat; sh -c 'cat /proc/$$/stat; :'");
            options.UseInit = useInit;
            (options.Scheduling.Policy, options.Scheduling.Niceness) = (policy, 19);
            foreach (var line in (await Sandbox.OutputOf(options)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                Field(line, Policy).Should().Be(number);
                Field(line, Nice).Should().Be(19);
                Field(line, RealTimePriority).Should().Be(0);
            }
        }
    }

    [Theory(Timeout = 30_000)]
    [InlineData(IOPriorityClass.BestEffort, 7, "best-effort: prio 7\n")]
    [InlineData(IOPriorityClass.BestEffort, 0, "best-effort: prio 0\n")]
    [InlineData(IOPriorityClass.Idle, 4, "idle\n")]
    public async Task A_program_claims_disks_as_told(IOPriorityClass kind, int level, string expected)
    {
        Programs.Require("ionice");
        var options = Sandbox.Shell("ionice");
        options.Scheduling.IOPriority = new IOPriority(kind, level);
        (await Sandbox.OutputOf(options)).Should().Be(expected);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_runs_on_the_processors_that_were_chosen()
    {
        var own = HostView.StatusField(Environment.ProcessId, "Cpus_allowed_list");
        var one = int.Parse(own.Split(',', '-')[^1], CultureInfo.InvariantCulture);
        var options = Sandbox.Shell("sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status");
        options.Scheduling.Processors = [one, 8191]; // which is not there
        (await Sandbox.OutputOf(options)).Should().Be(one + "\n");
        options.Scheduling.Processors = null;
        (await Sandbox.OutputOf(options)).Should().Be(own + "\n");
        options.Scheduling.Processors = [8191];
        (await FluentActions.Awaiting(() => Sandbox.OutputOf(options)).Should().ThrowAsync<IsolationException>()).Which.Syscall.Should().Be("sched_setaffinity");
    }

    [Fact(Timeout = 30_000)]
    public async Task Whoever_may_claims_more()
    {
        var options = Sandbox.ShellIn(Namespaces.Pid | Namespaces.Mount, "cat /proc/$$/stat");
        (options.Scheduling.Niceness, options.Scheduling.IOPriority) = (-5, new IOPriority(IOPriorityClass.RealTime, 3));
        if (!Privilege.CanAdminister)
        {
            (await FluentActions.Awaiting(() => Sandbox.OutputOf(options)).Should().ThrowAsync<IsolationException>()).Which.Hint.Should().Contain("CAP_SYS_NICE");
            return;
        }

        Field(await Sandbox.OutputOf(options), Nice).Should().Be(-5);
        (options.Scheduling.Policy, options.Scheduling.RealTimePriority) = (SchedulingPolicy.RoundRobin, 7);
        try
        {
            var stat = await Sandbox.OutputOf(options);
            (Field(stat, Policy), Field(stat, RealTimePriority)).Should().Be((2, 7));
        }
        catch (IsolationException e) when (e.Hint!.Contains("cpu.rt_runtime_us", StringComparison.Ordinal))
        {
            Assert.Skip("The control group of this process has no real time (cpu.rt_runtime_us).");
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task In_a_user_namespace_nobody_claims_more()
    {
        var options = Sandbox.ShellIn(Namespaces.User, ":");
        foreach (var claim in (Action<SchedulingOptions>[])[s => s.Niceness = -20, s => s.IOPriority = new IOPriority(IOPriorityClass.RealTime), s => s.Policy = SchedulingPolicy.Fifo])
        {
            (options.Scheduling.Policy, options.Scheduling.Niceness, options.Scheduling.IOPriority) = (null, null, null);
            claim(options.Scheduling);
            var failure = (await FluentActions.Awaiting(() => Sandbox.OutputOf(options)).Should().ThrowAsync<IsolationException>()).Which;
            (failure.Errno is 1 or 13, failure.Hint?.Contains("Namespaces.User", StringComparison.Ordinal)).Should().Be((true, true), failure.Message);
        }
    }

    [Fact]
    public void What_is_out_of_range_is_refused()
    {
        var scheduling = new SchedulingOptions();
        foreach (var wrong in (Action[])
            [
                () => scheduling.Niceness = 20, () => scheduling.Niceness = -21, () => scheduling.RealTimePriority = 0, () => scheduling.RealTimePriority = 100,
                () => scheduling.Policy = (SchedulingPolicy)4, () => scheduling.IOPriority = new IOPriority((IOPriorityClass)0), () => scheduling.Processors = [],
                () => scheduling.IOPriority = new IOPriority(IOPriorityClass.BestEffort, 8), () => scheduling.Processors = [-1], () => scheduling.Processors = [8192],
            ])
            wrong.Should().Throw<ArgumentException>();
        var options = new IsolationOptions("true") { Scheduling = { RealTimePriority = 5 } };
        FluentActions.Invoking(() => IsolatedProcess.Start(options)).Should().Throw<ArgumentException>().WithParameterName("Scheduling");
    }

    private static int Field(string stat, int number) =>
        int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[number - 3], CultureInfo.InvariantCulture);
}
