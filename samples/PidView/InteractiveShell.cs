using System.Runtime.InteropServices;

namespace Isolation.Samples;

/// <summary>A shell to look around in.</summary>
internal static class InteractiveShell
{
    internal static async Task RunAsync(Screen screen)
    {
        screen.Say("A shell in namespaces of its own: it is process 1. 'exit' leaves it, Ctrl-\\ ends it together with whatever runs in it.");
        screen.Flush();

        // +m: the shell has a session of its own and so no controlling terminal, which job control would need.
        var options = new IsolationOptions("sh", "+m")
        {
            Namespaces = Namespaces.All & HostView.Supported,
            HostName = "sandbox",
            Environment = { ["PS1"] = "sandbox:$PWD# ", ["TERM"] = Environment.GetEnvironmentVariable("TERM") },
        };
        await using var shell = await IsolatedProcess.StartAsync(options);

        // The keys are meant for the shell, but their signals reach this program, in whose session the terminal is.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            shell.Signal(PosixSignal.SIGINT);
        });
        using var quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context =>
        {
            context.Cancel = true;
            shell.Kill();
        });
        await shell.WaitForExitAsync();
    }
}
