using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Isolation.Benchmarks;

/// <summary>What a filter costs: each syscall of a program that is under it, and the start. No filter, ours and Docker's in turn, in one run.</summary>
internal static class SyscallsBenchmark
{
    private const int Width = 100;
    private const int StartsEachRound = 8;

    private static readonly (string Title, SeccompProfile? Profile)[] s_filters =
        [("none", null), ("Default", SeccompProfile.Default), ("Docker", SeccompProfile.Docker)];

    private static readonly Dictionary<string, string> s_kinds = new()
    {
        ["getppid"] = "always allowed", ["read"] = "always allowed, an early number", ["epoll_pwait2"] = "always allowed, a late number",
        ["ioctl"] = "argument compared by Default", ["personality"] = "argument compared, the last of five", ["unshare"] = "flags compared by Default, denied by Docker",
        ["keyctl"] = "denied by both",
    };

    internal static int Run(SyscallsSettings settings)
    {
        using var workspace = new Workspace(settings.WorkDirectory);
        if (workspace.Syscalls is not { } program)
        {
            Console.Error.WriteLine($"This needs a program in C. {workspace.Note}");
            return 1;
        }

        var calls = new Dictionary<string, List<double>[]>();
        var starts = Lists();
        try
        {
            for (var round = -1; round < settings.Rounds; round++)
            {
                for (var i = 0; i < s_filters.Length; i++)
                {
                    var filter = (i + round + 1) % s_filters.Length;
                    for (var k = 0; k < StartsEachRound; k++)
                    {
                        var start = Start(workspace.Program, s_filters[filter].Profile);
                        if (round >= 0) starts[filter].Add(start);
                    }

                    foreach (var (name, cost) in Measure(program, settings.Iterations, s_filters[filter].Profile))
                    {
                        if (!calls.TryGetValue(name, out var lists)) calls.Add(name, lists = Lists());
                        if (round >= 0) lists[filter].Add(cost);
                    }
                }
            }
        }
        catch (Exception e) when (e is IsolationException or InvalidOperationException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }

        Print(calls, starts, settings);
        return 0;
    }

    private static List<double>[] Lists() => [.. s_filters.Select(static _ => new List<double>())];

    private static IsolationOptions Options(string program, SeccompProfile? profile) => new(program)
    {
        Namespaces = Namespaces.None,
        StandardInput = StandardStream.Null,
        Security = { Seccomp = profile },
    };

    private static double Start(string program, SeccompProfile? profile)
    {
        var options = Options(program, profile);
        options.StandardOutput = options.StandardError = StandardStream.Null;
        var before = Stopwatch.GetTimestamp();
        using var process = IsolatedProcess.Start(options);
        var microseconds = Stopwatch.GetElapsedTime(before).TotalMicroseconds;
        process.WaitForExitAsync().GetAwaiter().GetResult();
        return microseconds;
    }

    private static IEnumerable<(string Name, double Nanoseconds)> Measure(string program, int iterations, SeccompProfile? profile)
    {
        var options = Options(program, profile);
        options.Arguments.Add(iterations.ToString(CultureInfo.InvariantCulture));
        var output = IsolatedProcess.RunAndCaptureText(options);
        if (output.ExitStatus.ExitCode != 0) throw new InvalidOperationException($"{program}: {output.ExitStatus}. {output.StandardError}");
        foreach (var line in output.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            yield return (words[0], double.Parse(words[1], CultureInfo.InvariantCulture));
        }
    }

    private static void Print(Dictionary<string, List<double>[]> calls, List<double>[] starts, SyscallsSettings settings)
    {
        var to = Console.Out;
        to.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\nWhat a seccomp filter costs: nanoseconds each syscall, {settings.Rounds} rounds of {settings.Iterations:N0}, median, all in turn in one run"));
        to.WriteLine(string.Join(" · ", RuntimeInformation.OSDescription, RuntimeInformation.ProcessArchitecture, $"{Environment.ProcessorCount} CPUs",
            RuntimeInformation.FrameworkDescription, Environment.IsPrivilegedProcess ? "root" : "ordinary user",
            $"filters of {Instructions(SeccompProfile.Default)} and {Instructions(SeccompProfile.Docker)} instructions"));
        to.WriteLine(new string('━', Width));
        to.WriteLine($"{"",-58}{"none",8}{"Default",9}{"Docker",9}{"D/none",8}{"D/Docker",9}");
        foreach (var (name, lists) in calls) Row(to, $"{name} ({s_kinds[name]})", lists, "0.0");
        to.WriteLine(new string('─', Width));
        Row(to, $"start, no namespaces, microseconds ({starts[0].Count} starts)", starts, "0");
        to.WriteLine(new string('━', Width));
    }

    private static void Row(TextWriter to, string title, List<double>[] lists, string format)
    {
        var (none, ours, docker) = (Median(lists[0]), Median(lists[1]), Median(lists[2]));
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {title,-56}") + Number(none, 8) + Number(ours, 9) + Number(docker, 9)
            + string.Create(CultureInfo.InvariantCulture, $"{ours / none,7:0.00}x{ours / docker,8:0.00}x"));

        string Number(double value, int width) => value.ToString(format, CultureInfo.InvariantCulture).PadLeft(width);
    }

    private static int Instructions(SeccompProfile profile) => profile.Disassemble().Count(static letter => letter == '\n');

    private static double Median(List<double> samples)
    {
        samples.Sort();
        return samples[samples.Count / 2];
    }
}
