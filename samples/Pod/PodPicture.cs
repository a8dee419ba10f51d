using System.Net;
using System.Net.Sockets;

namespace Isolation.Samples;

/// <summary>What Kubernetes calls a pod: a process that does nothing but hold namespaces, and programs that join some of them.</summary>
internal static class PodPicture
{
    private const Namespaces Shared = Namespaces.Network | Namespaces.Ipc | Namespaces.Uts;

    internal static async Task ShowAsync(Screen screen, bool sharesProcesses, CancellationToken cancellationToken)
    {
        var shared = Shared | (sharesProcesses ? Namespaces.Pid : 0);
        screen.Say("Starting a holder of namespaces (\"pause\"), and two programs that join its network, IPC, host name"
            + (sharesProcesses ? " and processes:" : ":") + " a web server, and a visitor that asks it for a page.");
        screen.Line();
        screen.Flush();

        var options = new IsolationOptions("sleep", "infinity") { HostName = "shop-pod" };
        await using var pause = await IsolatedProcess.StartAsync(options, cancellationToken);
        void Join(IsolationOptions member) => member.Join = NamespaceSource.FromProcess(pause, shared);
        // Each is this app, started again in a sandbox to run that method instead of Main.
        var serving = IsolatedTask.RunAsync(WebServer.ServeAsync, WebServer.Port, Join, cancellationToken: cancellationToken);
        var visiting = IsolatedTask.RunAsync(Visitor.VisitAsync, WebServer.Port, Join, cancellationToken: cancellationToken);
        var first = await Task.WhenAny(serving, visiting);
        await first; // when one has failed, the other would wait for it
        var (web, visitor) = (await serving, await visiting);

        screen.Say($"The visitor went to http://127.0.0.1:{WebServer.Port}/ and read:");
        screen.Line("    " + visitor.Heard);
        screen.Say($"From the host the same address is {await TryFromHostAsync(cancellationToken)}");
        screen.Line();

        screen.Table([15, 27], ["", "web server", "visitor"],
        [
            ["process id", HostView.Text(web.ProcessId), HostView.Text(visitor.ProcessId)],
            ["host name", web.HostName, visitor.HostName],
            ["sees", HostView.Few(web.Processes), HostView.Few(visitor.Processes)],
            [WebServer.Log, web.HasLog ? "there" : "not there", visitor.HasLog ? "there" : "not there"],
        ]);
        screen.Line();

        screen.Say("The same number is the same namespace:");
        var holder = HostView.Text(pause.ProcessId);
        screen.Table([8, 10, 10, 10, 10], ["", "pause", "web server", "visitor", "host", ""],
        [
            .. from kind in HostView.Kinds
               where HostView.Supported.HasFlag(kind.Flag)
               let numbers = (string[])[HostView.NamespaceNumber(holder, kind.Link), web.Namespaces[kind.Link], visitor.Namespaces[kind.Link]]
               let host = HostView.NamespaceNumber("self", kind.Link)
               select (string[])[kind.Name, .. numbers, host, Whose(numbers, host)],
        ]);
    }

    private static string Whose(string[] numbers, string host) => numbers.Distinct().Count() > 1 ? "its own" : numbers[0] == host ? "the host's" : "the pod's";

    private static async Task<string> TryFromHostAsync(CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, WebServer.Port, cancellationToken);
            return "another program's: the host has a loopback of its own.";
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return "refused: the host has a loopback of its own.";
        }
    }
}
