using System.Diagnostics;
using System.Net.Sockets;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class LandlockNetworkTests
{
    private const int Port = 8080;

    /// <summary>In a network of its own, where every port is free.</summary>
    private static IsolationOptions Network(LandlockPolicy? policy, string script)
    {
        Programs.Require("python3");
        var options = new IsolationOptions("python3", "-c", "import socket\nserver = socket.socket()\nclient = socket.socket()\n" + script)
        {
            Namespaces = Privilege.Possible(Namespaces.Network), StandardInput = StandardStream.Null, Security = { Landlock = policy },
        };
        return options;
    }

    [Fact(Timeout = 30_000)]
    public async Task Binding_to_a_TCP_port_can_be_denied_and_allowed()
    {
        Landlocked.Require(4);
        var policy = Landlocked.Nothing with { HandledNetworkAccess = LandlockNetworkAccess.BindTcp };
        const string script = "server.bind(('127.0.0.1', 8080))\nserver.listen()\nclient.connect(('127.0.0.1', 8080))";
        await Landlocked.Succeeds(Network(null, script));
        await Landlocked.IsDenied(Network(policy, script));
        await Landlocked.IsDenied(Network(policy.AllowBindTcp(Port + 1), script));
        await Landlocked.Succeeds(Network(policy.AllowBindTcp(1, Port), script));
    }

    [Fact(Timeout = 30_000)]
    public async Task So_can_connecting_to_one()
    {
        Landlocked.Require(4);
        var policy = Landlocked.Nothing with { HandledNetworkAccess = LandlockNetworkAccess.ConnectTcp };
        const string script = "server.bind(('127.0.0.1', 8080))\nserver.listen()\nclient.connect(('127.0.0.1', 8080))";
        await Landlocked.Succeeds(Network(null, script));
        await Landlocked.IsDenied(Network(policy, script));
        await Landlocked.IsDenied(Network(policy.AllowConnectTcp(Port + 1).AllowBindTcp(Port), script));
        await Landlocked.Succeeds(Network(policy.AllowConnectTcp(Port), script));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_port_that_the_kernel_chooses_is_port_0()
    {
        Landlocked.Require(4);
        var policy = Landlocked.Nothing with { HandledNetworkAccess = LandlockNetworkAccess.All };
        const string script = "server.bind(('127.0.0.1', 0))";
        await Landlocked.IsDenied(Network(policy, script));
        await Landlocked.Succeeds(Network(policy.AllowPort(0, LandlockNetworkAccess.BindTcp), script));
    }

    [Fact(Timeout = 30_000)]
    public async Task Abstract_sockets_of_others_can_be_closed()
    {
        Landlocked.Require(6);
        Programs.Require("python3");
        var name = "isolation-" + Guid.NewGuid();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint("\0" + name));
        listener.Listen();
        const string script = """
            python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect("\0" + sys.argv[1])' "$1"
            """;
        const string own = """
            python3 -c 'import socket, sys
            server = socket.socket(socket.AF_UNIX)
            server.bind("\0" + sys.argv[1] + "own")
            server.listen()
            socket.socket(socket.AF_UNIX).connect("\0" + sys.argv[1] + "own")' "$1"
            """;
        var policy = Landlocked.Nothing with { Scopes = LandlockScopes.AbstractUnixSocket };
        await Landlocked.Succeeds(Landlocked.Alone(null, script, name));
        await Landlocked.IsDenied(Landlocked.Alone(policy, script, name));
        await Landlocked.Succeeds(Landlocked.Alone(policy, own, name));
    }

    [Fact(Timeout = 30_000)]
    public async Task Processes_of_others_can_be_out_of_reach_of_signals()
    {
        Landlocked.Require(6);
        using var other = Process.Start(new ProcessStartInfo("sleep", "60"))!;
        try
        {
            var pid = other.Id.ToString(System.Globalization.CultureInfo.InvariantCulture);
            var policy = Landlocked.Nothing with { Scopes = LandlockScopes.Signal };
            await Landlocked.Succeeds(Landlocked.Alone(null, "kill -CONT $1", pid));
            await Landlocked.IsDenied(Landlocked.Alone(policy, "kill -CONT $1", pid));
            await Landlocked.Succeeds(Landlocked.Alone(policy, "sleep 60 & kill -KILL $!; wait $! && exit 1; exit 0"));
        }
        finally
        {
            other.Kill();
        }
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_host_and_an_init_reach_the_program_nevertheless(bool useInit)
    {
        Landlocked.Require(6);
        var options = Sandbox.Shell("trap 'echo got it; exit 7' TERM");
        options.UseInit = useInit;
        options.Security.Landlock = Landlocked.Everything.AllowReadWrite("/dev");
        await using var process = await Sandbox.Waiting(options);
        process.Signal(System.Runtime.InteropServices.PosixSignal.SIGTERM).Should().BeTrue();
        (await process.ReadLine()).Should().Be("got it");
        (await process.WaitForExitAsync(TestContext.Current.CancellationToken)).ExitCode.Should().Be(7);
    }
}
