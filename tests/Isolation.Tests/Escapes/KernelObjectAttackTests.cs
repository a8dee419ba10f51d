using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Escapes;

/// <summary>Things of the kernel's that are not files: descriptors, sockets, processes, control groups.</summary>
public sealed class KernelObjectAttackTests(AttackProgram attack) : IClassFixture<AttackProgram>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    [EscapeAttempt(10)]
    public async Task Attempt_10_no_descriptor_is_there_that_was_not_asked_for(EscapeMode mode)
    {
        using var host = new HostCanary();
        using var file = File.OpenHandle(host.Folder + "/file");
        (await Open()).Should().Be("0 1 2 3\n", "3 is the listing's own");
        (await Open(5, 9)).Should().Be("0 1 2 3 5 9\n", "these were asked for");

        async Task<string> Open(params int[] numbers)
        {
            var options = mode.In(Sandbox.Shell("cd /proc/self/fd; echo *"));
            foreach (var number in numbers) options.InheritedHandles[number] = file;
            return await Sandbox.OutputOf(options);
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    [EscapeAttempt(18)]
    public async Task Attempt_18_abstract_sockets_of_the_host_are_out_of_reach(EscapeMode mode)
    {
        var name = "isolation-" + Guid.NewGuid().ToString("N");
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        server.Bind(new UnixDomainSocketEndPoint("\0" + name));
        server.Listen();
        using var datagrams = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        datagrams.Bind(new UnixDomainSocketEndPoint($"\0{name}-datagram"));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var answers = Answer();

        var options = attack.Options(mode, "abstract", name);
        (await attack.Attack(options)).Should().BeEmpty();
        datagrams.Available.Should().Be(0);

        options.Namespaces &= ~Namespaces.Network;
        (await attack.Attack(options)).Should().Equal("from the host", "datagram");
        await end.CancelAsync();
        await answers;

        async Task Answer()
        {
            try
            {
                while (true)
                {
                    using var client = await server.AcceptAsync(end.Token);
                    await client.SendAsync("from the host"u8.ToArray(), end.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // the test is over
            }
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    [EscapeAttempt(20)]
    public async Task Attempt_20_processes_of_the_host_cannot_be_signalled(EscapeMode mode)
    {
        Programs.Require("setsid", "sleep");
        // It leads a group of its own.
        using var victim = Process.Start("setsid", ["sleep", "1000"]);
        try
        {
            await HostView.Until(() => HostView.Read(victim.Id, "comm") == "sleep\n", "the victim sleeps");
            var options = attack.Options(mode, "signals", victim.Id.ToString(CultureInfo.InvariantCulture));
            (await attack.Attack(options)).Should().BeEmpty();
            victim.HasExited.Should().BeFalse();

            options.Namespaces &= ~Namespaces.Pid;
            (await attack.Attack(options)).Should().Contain(["kill", "group", "everyone", "queue", "thread", "any thread", "pidfd", "killed"]);
            await victim.WaitForExitAsync(Token);
        }
        finally
        {
            victim.Kill();
        }
    }
}
