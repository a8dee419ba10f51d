using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using FluentAssertions;
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
        // Whoever keeps all of root's privileges, or is the host's user on the host, reads the host itself.
        var weak = Options(mode);
        weak.Namespaces = Namespaces.None;
        if (Privilege.CanAdminister) weak.Security.Capabilities = CapabilitySets.All;
        (await Hits(weak, starts: 1)).Should().Contain(" of the host");

        var options = Options(mode);
        options.Namespaces &= namespaces;
        (await Hits(options, s_starts)).Should().BeEmpty();
    }

    public void Dispose() => Marshal.FreeHGlobal(_address);

    private IsolationOptions Options(EscapeMode mode)
    {
        Marshal.Copy(Encoding.ASCII.GetBytes(_secret), 0, _address, _secret.Length);
        var options = attack.Options(mode, "memory", _address.ToString(CultureInfo.InvariantCulture), _secret);
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        options.Security.Seccomp = null; // forbids process_vm_readv, and could not forbid a file
        return options;
    }

    private async Task<string> Hits(IsolationOptions options, int starts)
    {
        if ((options.Namespaces & Namespaces.Mount) == 0)
        {
            options.FileName = attack.Path;
            options.Filesystem.Mounts.Clear();
        }

        await using var attacker = await IsolatedProcess.StartAsync(options, TestContext.Current.CancellationToken);
        (await attacker.ReadLine()).Should().Be("ready");
        var others = new IsolationOptions("/bin/true");
        for (var i = 0; i < starts; i++)
        {
            // Both ways to start, and both kinds of sandbox.
            others.Namespaces = i % 4 == 3 && Privilege.CanAdminister ? Namespaces.Default & ~Namespaces.User : Namespaces.Default;
            others.UseInit = i % 3 == 2;
            if (i % 2 == 0) IsolatedProcess.Run(others);
            else await IsolatedProcess.RunAsync(others, TestContext.Current.CancellationToken);
        }

        await attacker.WriteLine("stop");
        using var reader = new StreamReader(attacker.StandardOutput);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
