using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Isolation.Samples;

internal sealed class NetworkStop : Stop, IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    internal NetworkStop()
    {
        try
        {
            _listener.Start();
        }
        catch (SocketException)
        {
            // A host without loopback: there is still something to see.
        }
    }

    internal override string Name => "network";

    internal override string Subject => "interfaces, addresses, ports";

    internal override string Explanation =>
        "A network stack of its own, with nothing in it but a loopback interface. Its 127.0.0.1 is another one than the host's: this program " +
        "listens on a port there now, and inside nobody does.";

    protected override Namespaces Namespaces => Namespaces.Network;

    /// <summary>0 when nothing listens.</summary>
    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    // Columns of /proc/net/tcp: number, local address:port, remote address:port, state (0A is listening), in hexadecimal.
    protected override string Script => $$"""
        sed -n 's/^ *\(.*\):.*/interface=\1/p' /proc/net/dev
        listens=nobody
        while read -r _ local _ state _; do [ "${local#*:} $state" = "{{Port:X4}} 0A" ] && listens=somebody; done < /proc/net/tcp
        echo "listens=$listens"
        """;

    public void Dispose() => _listener.Dispose();

    protected override IEnumerable<string[]> Rows(Witness shell, string process)
    {
        yield return ["interfaces", HostView.Few(shell.All("interface")), HostView.Few(HostView.Interfaces, 2)];
        if (Port != 0) yield return [string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}"), shell["listens"] + " listens", "this program listens"];
    }
}
