using System.Runtime.InteropServices;

namespace Isolation.Samples;

/// <summary>A shell to look around in.</summary>
internal static class InteractiveShell
{
    internal static async Task RunAsync(Screen screen)
    {
        screen.Say("A shell in namespaces of its own: it is process 1. 'exit' or Ctrl-D leaves it, and ends whatever runs in it.");
        screen.Flush();
        var options = new IsolationOptions("sh")
        {
            Namespaces = Namespaces.All & HostView.Supported,
            HostName = "sandbox",
            Environment = { ["PS1"] = "sandbox:$PWD# " },
        };
        if (!Console.IsInputRedirected)
        {
            options.Terminal = TerminalOptions.LikeConsole();
            await IsolatedProcess.RunAsync(options); // keys, job control, size: all as if it were this terminal's own shell
            return;
        }

        // A script on standard input. Signals reach this program, and mean the shell.
        await using var shell = await IsolatedProcess.StartAsync(options);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            shell.Signal(PosixSignal.SIGINT);
        });
        await shell.WaitForExitAsync();
    }
}
