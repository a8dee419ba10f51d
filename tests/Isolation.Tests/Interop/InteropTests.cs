using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Interop;
using Isolation.Stage;
using Xunit;

namespace Isolation.Tests.Interop;

/// <summary>The C compiler is asked whether what we declare is what the headers say, for both architectures, whichever one this is.</summary>
public class InteropTests
{
    [Theory(Timeout = 60_000)]
    [InlineData(Architecture.X64)]
    [InlineData(Architecture.Arm64)]
    public async Task Constants_structs_errnos_and_syscall_numbers_are_those_of_the_kernels_headers(Architecture architecture)
    {
        var compiler = await CCompiler.RequireAsync(architecture, TestContext.Current.CancellationToken);
        foreach (var source in KernelHeaders.Sources(architecture))
        {
            source.Assertions.Should().NotBeEmpty();
            (await compiler.CompileAsync(source, TestContext.Current.CancellationToken)).Should().BeNull();
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData(Architecture.X64)]
    [InlineData(Architecture.Arm64)]
    public async Task The_wire_format_is_that_of_the_stage_and_the_stub(Architecture architecture)
    {
        var compiler = await CCompiler.RequireAsync(architecture, TestContext.Current.CancellationToken);
        foreach (var source in StageHeaders.Sources())
        {
            source.Assertions.Should().NotBeEmpty();
            (await compiler.CompileAsync(source, TestContext.Current.CancellationToken)).Should().BeNull();
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData(Architecture.X64)]
    [InlineData(Architecture.Arm64)]
    public async Task Stage_and_stub_use_the_kernels_numbers(Architecture architecture)
    {
        var compiler = await CCompiler.RequireAsync(architecture, TestContext.Current.CancellationToken);
        foreach (var source in StageHeaders.KernelNumbers())
        {
            source.Assertions.Should().NotBeEmpty();
            (await compiler.CompileAsync(source, TestContext.Current.CancellationToken)).Should().BeNull();
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData(Architecture.X64)]
    [InlineData(Architecture.Arm64)]
    public async Task Every_claim_would_be_refused_if_it_were_wrong(Architecture architecture)
    {
        var compiler = await CCompiler.RequireAsync(architecture, TestContext.Current.CancellationToken);
        foreach (var source in (CSource[])[.. KernelHeaders.Sources(architecture), .. StageHeaders.Sources(), .. StageHeaders.KernelNumbers()])
        {
            source.Assertions.Should().OnlyHaveUniqueItems(claim => claim.Name);
            var wrong = source with { Assertions = [.. source.Assertions.Select(claim => claim.Falsified())] };
            var messages = await compiler.CompileAsync(wrong, TestContext.Current.CancellationToken);
            var accepted = from claim in source.Assertions where claim.Since is null && messages?.Contains($"\"{claim.Name}\"") != true select claim.Name;
            accepted.Should().BeEmpty();
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData("SIGKILL")]
    [InlineData("sizeof(clone_args)")]
    [InlineData("offsetof(statx, stx_rdev_minor)")]
    [InlineData("signed(mount_attr.userns_fd)")]
    [InlineData("__NR_clone3")]
    public async Task One_wrong_number_among_right_ones_is_refused(string name)
    {
        var architecture = RuntimeInformation.ProcessArchitecture;
        var compiler = await CCompiler.RequireAsync(architecture, TestContext.Current.CancellationToken);
        var source = KernelHeaders.Sources(architecture)[0].With(name, claim => claim.Falsified());
        (await compiler.CompileAsync(source, TestContext.Current.CancellationToken)).Should().Contain($"\"{name}\"");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_name_that_no_header_has_is_refused()
    {
        var architecture = RuntimeInformation.ProcessArchitecture;
        var compiler = await CCompiler.RequireAsync(architecture, TestContext.Current.CancellationToken);
        var source = KernelHeaders.Sources(architecture)[0];
        var misspelt = source.With("SIGKILL", _ => new CAssertion("SIGKIL", "SIGKIL == 9"));
        (await compiler.CompileAsync(misspelt, TestContext.Current.CancellationToken)).Should().Contain("SIGKIL");
        // Being on the list of newer names excuses a name only on headers from before that kernel.
        var excused = source.With("MFD_EXEC", _ => new CAssertion("MFD_EXCE", "MFD_EXCE == 16", new Version(2, 6), "MFD_EXCE"));
        (await compiler.CompileAsync(excused, TestContext.Current.CancellationToken)).Should().Contain("MFD_EXCE");
    }

    [Fact]
    public void Names_excused_on_older_headers_are_declared() =>
        KernelHeaders.DeclaredConstants.Select(field => field.Name).Should().Contain(KernelHeaders.LaterNames);

    [Fact]
    public void Nothing_of_the_wire_format_is_unknown_to_the_encoder()
    {
        string[] known = [.. StageHeaders.DeclaredConstants.Select(StageHeaders.CName), "STAGE_H"];
        var declared = ((string[])["OP_", "SUPERVISE_", "STAGE_"]).SelectMany(prefix => StageHeaders.Names("stage.h", prefix));
        declared.Should().BeSubsetOf(known);
        foreach (var type in new[] { typeof(ProgramHeader), typeof(EncodedStep), typeof(ListedProcess), typeof(SpawnArguments) })
        {
            var fields = ManagedLayout.Fields(type).Sum(ManagedLayout.SizeOf);
            fields.Should().Be(ManagedLayout.SizeOf(type), "{0} has no gap in which C could have a field", type.Name);
        }

        StageFormat.DataOffset.Should().BeGreaterThanOrEqualTo(ManagedLayout.SizeOf(typeof(ProgramHeader))).And.Match(offset => offset % 8 == 0);
    }

    [Fact]
    public void Every_syscall_has_a_number_on_both_architectures()
    {
        SyscallTable.X64.Length.Should().Be(Enum.GetValues<Sys>().Length);
        SyscallTable.Arm64.Length.Should().Be(Enum.GetValues<Sys>().Length);
    }

    [Fact]
    public unsafe void An_epoll_event_reads_back_what_was_put_in()
    {
        var change = EpollEvent.Create(0x11223344, 0x5566778899aabbcc);
        EpollEvent.Read((byte*)&change, out var events, out var data);
        (events, data).Should().Be((0x11223344u, 0x5566778899aabbccul));
    }
}
