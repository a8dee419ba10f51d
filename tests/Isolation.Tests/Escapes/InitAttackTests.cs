using System.Globalization;
using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Stage;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Escapes;

/// <summary>The init runs as the program's user, beside it, and has memory in common with the host, by which it tells how the program ended.</summary>
public sealed class InitAttackTests(AttackProgram attack) : IClassFixture<AttackProgram>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    public async Task The_memory_of_the_init_is_closed_to_the_program(EscapeMode mode)
    {
        var result = await IsolatedProcess.RunAndCaptureTextAsync(Options(mode), Token);
        (result.StandardOutput, result.ExitStatus.ToString()).Should().Be(("", "exit code 0"));
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    public async Task Who_is_left_the_right_to_trace_can_lie_about_the_end_and_does_no_harm_with_it(EscapeMode mode)
    {
        foreach (var code in (int[])[1 /* CLD_EXITED */, 2 /* CLD_KILLED */, -1])
        {
            var options = Options(mode, code);
            options.Security.Capabilities = CapabilitySets.Of(Capabilities.SysPTrace);
            var result = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
            result.StandardOutput.Should().Be("written\n");
            (result.ExitStatus.ExitCode, result.ExitStatus.SignalNumber).Should().Be(code == 1 ? (0xab, 0) : (128 + 0x2b, 0x2b));
            result.ExitStatus.UserTime.Should().BeGreaterThan(TimeSpan.FromDays(10_000_000));
            result.ExitStatus.SystemTime.Should().Be(TimeSpan.Zero);
            result.ToString().Should().NotBeEmpty();
        }
    }

    private IsolationOptions Options(EscapeMode mode, int code = 1)
    {
        (string Field, long Value, int Bytes)[] lies =
        [
            (nameof(ProgramHeader.WaitCode), (uint)code, 4), (nameof(ProgramHeader.WaitStatus), 0xfffff9ab, 4), (nameof(ProgramHeader.UserTime), long.MaxValue, 8),
            (nameof(ProgramHeader.SystemTime), long.MinValue, 8), (nameof(ProgramHeader.PeakMemory), long.MaxValue, 8), (nameof(ProgramHeader.Reported), 1, 4),
        ];
        var options = attack.Options(mode, ["init", .. lies.SelectMany(static lie => (string[])
            [Number((long)StageFormat.Base + (long)Marshal.OffsetOf<ProgramHeader>(lie.Field)), Number(lie.Value), Number(lie.Bytes)])]);
        options.UseInit = true;
        return options;
    }

    private static string Number(long value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);
}
