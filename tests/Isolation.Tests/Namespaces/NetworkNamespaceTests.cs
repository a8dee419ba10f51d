using System.Net;
using System.Net.Sockets;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class NetworkNamespaceTests
{
    [Fact(Timeout = 30_000)]
    public async Task There_is_only_the_loopback_interface()
    {
        var output = await Sandbox.OutputOf("cat /proc/self/net/dev; cat /proc/self/net/route");
        output.Split('\n').Where(static line => line.Contains(':', StringComparison.Ordinal))
            .Select(static line => line.Split(':')[0].Trim()).Should().Equal("lo");
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Should().StartWith("Iface", "there are no routes");
    }

    [Fact(Timeout = 30_000)]
    public async Task Loopback_is_up_and_has_its_address()
    {
        Programs.Require("ip");
        (await Sandbox.OutputOf("ip -o addr; ip -o link")).Should().Contain("inet 127.0.0.1/8").And.Contain("LOOPBACK,UP");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_reaches_itself_by_127_0_0_1()
    {
        Programs.Require("python3");
        const string talk = """
            import socket
            server = socket.create_server(("127.0.0.1", 0))
            client = socket.create_connection(server.getsockname(), 5)
            server.accept()[0].sendall(b"hello")
            print(client.recv(5).decode())
            """;
        (await Sandbox.OutputOf(new IsolationOptions("/usr/bin/python3", "-c", talk))).Should().Be("hello\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_hosts_servers_are_out_of_reach_unless_the_network_is_shared()
    {
        Programs.Require("bash");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var script = $"(exec 3<>/dev/tcp/127.0.0.1/{((IPEndPoint)listener.LocalEndpoint).Port}) 2>/dev/null && echo connected || echo refused";
        var options = new IsolationOptions("bash", "-c", script);
        (await Sandbox.OutputOf(options)).Should().Be("refused\n");
        options.Namespaces &= ~Namespaces.Network;
        (await Sandbox.OutputOf(options)).Should().Be("connected\n");
    }
}
