using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using FluentAssertions;
using Isolation.Stage;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Escapes;

/// <summary>
/// A start begins with a process that shares the host's memory for an instant. Whoever sees it by its number, because the PID namespace
/// was given up, looks into that memory through it again and again.
/// </summary>
public sealed class MemoryAttackTests(AttackProgram attack) : IClassFixture<AttackProgram>, IDisposable
{
    /// <summary>More by hand: 500 and above.</summary>
    private static readonly int s_starts = int.Parse(Environment.GetEnvironmentVariable("ISOLATION_TEST_ESCAPE_STARTS") ?? "150", CultureInfo.InvariantCulture);

    private readonly string _secret = "secret-" + Guid.NewGuid().ToString("N");
    private readonly nint _address = Marshal.AllocHGlobal(256);

    /// <summary>Namespaces that the attacker keeps: not that of its PIDs.</summary>
    public static TheoryData<EscapeMode, Namespaces> Attackers
    {
        get
        {
            var data = new TheoryData<EscapeMode, Namespaces>();
            foreach (var mode in EscapeModes.Every)
            {
                data.Add(mode, Namespaces.Default & ~Namespaces.Pid);
                // An ordinary user's program in no namespace of its own is that user, for whom the host's memory is open anyway.
                if (Privilege.CanAdminister && mode == EscapeMode.Root) data.Add(mode, Namespaces.None);
            }

            return data;
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Attackers))]
    [EscapeAttempt(1)]
    public async Task Attempt_01_the_memory_of_a_start_cannot_be_read(EscapeMode mode, Namespaces namespaces)
    {
        // Whoever keeps all of root's privileges, or is the host's user on the host, reads the host itself, and stages.
        var weak = Options(mode, stages: true);
        weak.Namespaces = Namespaces.None;
        if (Privilege.CanAdminister) weak.Security.Capabilities = CapabilitySets.All;
        var found = await Hits(weak, starts: 40, StartAnother);
        found.Should().MatchRegex($"{_secret}: .* of the host").And.MatchRegex($"{StageMagic}: .* of another");

        // A stage has no secret of the host's. In a user namespace it belongs to the user who has made that.
        var options = Options(mode, stages: false);
        options.Namespaces &= namespaces;
        (await Hits(options, s_starts, StartAnother)).Should().BeEmpty();

        static async Task StartAnother(IsolatedProcess attacker, int i)
        {
            // Both ways to start, and both kinds of sandbox.
            var other = new IsolationOptions("/bin/true") { UseInit = i % 3 == 2 };
            if (i % 4 == 3 && Privilege.CanAdminister) other.Namespaces &= ~Namespaces.User;
            if (i % 2 == 0) IsolatedProcess.Run(other);
            else await IsolatedProcess.RunAsync(other, Token);
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    [EscapeAttempt(1)]
    public async Task Attempt_01_nor_that_of_who_joins_even_with_the_right_to_trace(EscapeMode mode)
    {
        var options = Options(mode, stages: true);
        // Worth nothing beyond its user namespace; without one, who has it is not joined at all.
        if (mode != EscapeMode.Root) options.Security.Capabilities = CapabilitySets.Of(Capabilities.SysPTrace);
        (await Hits(options, s_starts, Join)).Should().BeEmpty();

        async Task Join(IsolatedProcess attacker, int i)
        {
            // Every third time as another sandbox that only shares its processes.
            var other = mode.In(new IsolationOptions("/bin/true"));
            var shared = i % 3 == 2 ? Namespaces.Pid : Namespaces.All;
            if (i % 2 == 0) attacker.Run(other, null, shared).ExitCode.Should().Be(0);
            else (await attacker.RunAsync(other, shared, Token)).ExitCode.Should().Be(0);
        }
    }

    public void Dispose() => Marshal.FreeHGlobal(_address);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>How a plan begins, where the stage has it.</summary>
    private static string StageMagic => Encoding.ASCII.GetString(BitConverter.GetBytes(StageFormat.Magic));

    private IsolationOptions Options(EscapeMode mode, bool stages)
    {
        Marshal.Copy(Encoding.ASCII.GetBytes(_secret), 0, _address, _secret.Length);
        string[] host = [_address.ToString(CultureInfo.InvariantCulture), _secret];
        string[] stage = [StageFormat.Base.ToString(CultureInfo.InvariantCulture), StageMagic];
        var options = attack.Options(mode, ["memory", .. host, .. stages ? stage : []]);
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        options.Security.Seccomp = null; // forbids process_vm_readv, and could not forbid a file
        return options;
    }

    private async Task<string> Hits(IsolationOptions options, int starts, Func<IsolatedProcess, int, Task> start)
    {
        attack.Place(options);
        await using var attacker = await IsolatedProcess.StartAsync(options, Token);
        (await attacker.ReadLine()).Should().Be("ready");
        for (var i = 0; i < starts; i++) await start(attacker, i);
        await attacker.WriteLine("stop");
        using var reader = new StreamReader(attacker.StandardOutput);
        return await reader.ReadToEndAsync(Token);
    }
}
