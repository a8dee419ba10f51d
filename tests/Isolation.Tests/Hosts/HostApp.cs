using System.Diagnostics;
using System.Runtime.InteropServices;
using FluentAssertions;

namespace Isolation.Tests.Hosts;

/// <summary>Runs Isolation.TestHost as a process of its own, with the host setting that the test is about.</summary>
internal static class HostApp
{
    /// <summary>The command that starts the app: through the dotnet host where there is one, else (published self-contained) its own executable.</summary>
    internal static IReadOnlyList<string> Command { get; } = FindCommand();

    internal static bool IsRoot => Environment.IsPrivilegedProcess;

    /// <summary>The settings that make the app an ordinary user's: none are needed when the tests are.</summary>
    internal static IReadOnlyList<string> Ordinary { get; } = IsRoot ? ["as-user", "54321"] : [];

    /// <summary>Runs the app to its end, which must be a good one, and returns what it printed.</summary>
    internal static Task<string> RunAsync(CancellationToken cancellationToken, params string[] arguments) =>
        ExpectFineAsync([.. Command, .. arguments], cancellationToken);

    /// <summary>The same below a shell that does something first: <paramref name="setting"/> is a script before the exec.</summary>
    internal static Task<string> RunBelowShellAsync(string setting, CancellationToken cancellationToken, params string[] arguments) =>
        ExpectFineAsync(["sh", "-c", setting + "; exec \"$@\"", "sh", .. Command, .. arguments], cancellationToken);

    internal static async Task<string> ExpectFineAsync(string[] command, CancellationToken cancellationToken)
    {
        using var process = Start(command);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }

        process.ExitCode.Should().Be(0, "of what it says: {0}{1}", await output, await error);
        return await output;
    }

    /// <summary>Starts a command with piped output; the caller ends it.</summary>
    internal static Process Start(string[] command)
    {
        var info = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // One thread and a few files less in every app.
            Environment = { ["DOTNET_EnableDiagnostics"] = "0" },
        };
        return Process.Start(info)!;
    }

    private static IReadOnlyList<string> FindCommand()
    {
        var app = Path.Combine(AppContext.BaseDirectory, "Isolation.TestHost");
        // The shared framework lies three folders below the dotnet host.
        var dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
        return File.Exists(dotnet) ? [dotnet, app + ".dll"] : [app];
    }
}
