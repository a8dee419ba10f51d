using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Isolation.Tests.Samples;

/// <summary>A sample, run as a user would run it: a process of its own, built beside the tests.</summary>
internal static partial class SampleProcess
{
    internal static bool HasScript { get; } = IsOnPath("script");

    internal static bool HasUnshare { get; } = IsOnPath("unshare");

    internal static Task<SampleResult> RunAsync(string sample, params string[] arguments) => RunAsync(sample, arguments, input: "");

    internal static Task<SampleResult> RunAsync(string sample, string[] arguments, string input, params string[] wrapper)
    {
        string[] command = [.. wrapper, Path.Combine(AppContext.BaseDirectory, sample), .. arguments];
        return RunAsync(command, input, noColor: false);
    }

    /// <summary>On a terminal, which script(1) makes. Its output holds everything that the sample wrote there.</summary>
    internal static Task<SampleResult> RunOnTerminalAsync(string sample, bool noColor = false) =>
        RunAsync(["script", "-qec", $"'{Path.Combine(AppContext.BaseDirectory, sample)}'", "/dev/null"], "", noColor);

    /// <summary>What a terminal would show of a line: without colours and other control sequences.</summary>
    internal static string Visible(string text) => ControlSequence().Replace(text, "");

    private static async Task<SampleResult> RunAsync(string[] command, string input, bool noColor)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Where the app's host finds the runtime that these tests run on; one published self-contained has it beside it.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["TERM"] = "xterm";
        start.Environment.Remove("NO_COLOR");
        if (noColor) start.Environment["NO_COLOR"] = "1";

        var cancellationToken = TestContext.Current.CancellationToken;
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellationToken);
            return new SampleResult(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, program)));

    [GeneratedRegex(@"\e\[[?0-9;]*[a-zA-Z]|\e[=>]")]
    private static partial Regex ControlSequence();
}
