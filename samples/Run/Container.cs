using System.Runtime.InteropServices;
using Isolation;
using Isolation.Images;

namespace Isolation.Samples;

/// <summary>From the command line to the program's exit code.</summary>
internal static class Container
{
    internal static async Task<int> RunAsync(RunArguments arguments)
    {
        if (arguments is { Terminal: true, Interactive: true } && Console.IsInputRedirected)
            throw new UsageException("-it connects to a terminal, and standard input is none; -i alone connects standard input.");
        using var forwarding = new SignalForwarding(PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT);
        var changes = (string?)null;
        try
        {
            using var store = ImageStore.Open(Environment.GetEnvironmentVariable("ISOLATION_STORE"));
            var options = await ImageSource.OpenAsync(store, arguments, forwarding.Cancelled);
            var id = Convert.ToHexStringLower(Guid.NewGuid().ToByteArray().AsSpan(0, 6));
            if (!arguments.Remove && !arguments.ReadOnly) changes = Directory.CreateDirectory(Path.Combine(store.Folder, "..", "containers", id)).FullName;
            Apply(options, arguments, id, changes);
            await using var process = await IsolatedProcess.StartAsync(options, forwarding.Cancelled);
            if (arguments.Terminal)
            {
                // Keys are the program's. A signal to this process means this process, as with Docker.
                forwarding.Dispose();
                await process.Terminal.AttachAsync(new TerminalAttachOptions { ForwardInput = arguments.Interactive });
            }
            else
            {
                forwarding.To(process);
            }

            var status = await process.WaitForExitAsync();
            if (changes is not null && !Console.IsErrorRedirected) Console.Error.WriteLine($"run: what was changed is in {changes}/upper; --rm throws it away");
            return status.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return 130; // as a shell says of SIGINT
        }
        catch
        {
            if (changes is not null) Directory.Delete(changes, recursive: true);
            throw;
        }
    }

    private static void Apply(IsolationOptions options, RunArguments arguments, string id, string? changes)
    {
        var filesystem = options.Filesystem;
        if (arguments.ReadOnly)
        {
            filesystem.Root = filesystem.Root.WithAccess(RootAccess.ReadOnly);
            filesystem.PrivateTmp = filesystem.PrivateRun = false; // to Docker, read-only means /tmp, too
        }
        else if (changes is not null)
        {
            filesystem.Root = filesystem.Root.WithChangesIn(changes);
        }

        options.HostName = arguments.HostName ?? id;
        filesystem.Mounts.Add(KernelMount.Sysfs());
        filesystem.Mounts.Add(KernelMount.MessageQueue());
        filesystem.Mounts.Add(new FileMount("/etc/hostname", options.HostName + "\n"));
        filesystem.Mounts.Add(new FileMount("/etc/hosts", $"127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t{options.HostName}\n"));
        foreach (var volume in arguments.Volumes) filesystem.Mounts.Add(volume);
        if (arguments.WorkingDirectory is { } folder)
        {
            options.WorkingDirectory = folder;
            if (folder.Trim('/').Length > 0 && !filesystem.Mounts.Any(mount => (folder + "/").StartsWith(mount.Target + "/", StringComparison.Ordinal)))
                filesystem.Mounts.Add(new DirectoryMount(folder));
        }

        if (arguments.User is { } user) options.User.Name = user;
        foreach (var (name, value) in arguments.Environment) options.Environment[name] = value;
        options.Environment["HOSTNAME"] = options.HostName;
        if (arguments.Terminal)
        {
            options.Terminal = TerminalOptions.LikeConsole();
            options.Terminal.Type = "xterm"; // as Docker has it: images know few others
        }

        options.StandardInput = arguments.Interactive || arguments.Terminal ? StandardStream.Inherit : StandardStream.Null;
    }
}
