using FluentAssertions;
using Xunit;

namespace Isolation.Tests.Support;

/// <summary>Short ways to the sandboxes that most tests want.</summary>
internal static class Sandbox
{
    /// <summary>A shell script. Standard input is the null device.</summary>
    internal static IsolationOptions Shell(string script, params IEnumerable<string> arguments) =>
        new("/bin/sh", ["-c", script, "sh", .. arguments]) { StandardInput = StandardStream.Null };

    /// <summary>The same in these namespaces, and a user namespace where they cannot be had without.</summary>
    internal static IsolationOptions ShellIn(Namespaces namespaces, string script)
    {
        var options = Shell(script);
        options.Namespaces = Privilege.Possible(namespaces);
        return options;
    }

    /// <summary>The same options, from now on with another script.</summary>
    internal static IsolationOptions With(this IsolationOptions options, string script)
    {
        options.Arguments[1] = script;
        return options;
    }

    /// <summary>Runs a program that must succeed and complain about nothing; returns what it wrote.</summary>
    internal static async Task<string> OutputOf(IsolationOptions options)
    {
        var result = await IsolatedProcess.RunAndCaptureTextAsync(options, TestContext.Current.CancellationToken);
        result.StandardError.Should().BeEmpty();
        result.ExitStatus.ToString().Should().Be("exit code 0", "it wrote {0}", result.StandardOutput);
        return result.StandardOutput;
    }

    internal static Task<string> OutputOf(string script) => OutputOf(Shell(script));

    /// <summary>A shell that has run a script and now waits, so that the host can look at it from outside.</summary>
    internal static async Task<IsolatedProcess> Waiting(IsolationOptions options)
    {
        options.Arguments[1] += "\necho ready; read -r line";
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        var process = await IsolatedProcess.StartAsync(options, TestContext.Current.CancellationToken);
        try
        {
            (await process.ReadLine()).Should().Be("ready");
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    internal static Task<IsolatedProcess> Waiting(Namespaces namespaces = Namespaces.Default, string script = ":") =>
        Waiting(ShellIn(namespaces, script));

    /// <summary>A line of the standard output, read byte by byte so that nothing after it is taken.</summary>
    internal static async Task<string> ReadLine(this IsolatedProcess process)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (await process.StandardOutput.ReadAsync(one, TestContext.Current.CancellationToken) == 1 && one[0] != '\n') line.Add(one[0]);
        return System.Text.Encoding.UTF8.GetString([.. line]);
    }

    internal static async Task WriteLine(this IsolatedProcess process, string line) =>
        await process.StandardInput.WriteAsync(System.Text.Encoding.UTF8.GetBytes(line + "\n"), TestContext.Current.CancellationToken);

    /// <summary>Asserts what a program has open. At its very start the dynamic loader has libraries open for a moment.</summary>
    internal static async Task HasOpen(this IsolatedProcess process, params (int Number, string Target)[] expected)
    {
        try
        {
            await HostView.Until(() => HostView.Descriptors(process.ProcessId)
                .Select(static entry => (entry.Key, entry.Value)).SequenceEqual(expected), "the program has open what it should");
        }
        catch (TimeoutException)
        {
            HostView.Descriptors(process.ProcessId).Select(static entry => (entry.Key, entry.Value)).Should().Equal(expected);
        }
    }
}
