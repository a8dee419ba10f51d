using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using FluentAssertions;
using Isolation.Filtering;
using Xunit;

namespace Isolation.Tests.Interop;

/// <summary>The table of syscalls is what the kernel's headers say.</summary>
public partial class SyscallNamesTests
{
    private const int LastOfDebian12 = 450; // set_mempolicy_home_node, Linux 5.17
    private static readonly Version s_never = new(255, 0);

    /// <summary>The first kernel whose headers have the calls from a number on, which is the same everywhere.</summary>
    private static readonly (int Number, Version Since)[] s_later =
    [
        (451, new(6, 5)), (452, new(6, 6)), (453, new(6, 7)), (457, new(6, 8)), (462, new(6, 10)), (463, new(6, 13)), (467, new(6, 15)), (468, new(6, 17)),
        (470, new(6, 19)), (471, new(7, 0)),
    ];

    [Theory(Timeout = 60_000)]
    [InlineData(SeccompArchitecture.X64, Architecture.X64, "asm/unistd_64.h")]
    [InlineData(SeccompArchitecture.X86, Architecture.X64, "asm/unistd_32.h")]
    [InlineData(SeccompArchitecture.X32, Architecture.X64, "asm/unistd_x32.h")]
    [InlineData(SeccompArchitecture.Arm64, Architecture.Arm64, "asm/unistd.h")]
    public async Task Every_call_has_the_kernels_number(SeccompArchitecture architecture, Architecture machine, string header)
    {
        var compiler = await CCompiler.RequireAsync(machine, TestContext.Current.CancellationToken);
        var claims = SyscallNames.All.Where(name => SyscallNames.Number(name, architecture) >= 0).Select(name => Claim(name, architecture)).ToArray();
        claims.Length.Should().BeGreaterThan(300);
        var source = new CSource($"#include <linux/version.h>\n#include <{header}>\n#ifndef __X32_SYSCALL_BIT\n#define __X32_SYSCALL_BIT 0x40000000\n#endif", claims);
        (await compiler.CompileAsync(source, TestContext.Current.CancellationToken)).Should().BeNull();
        var wrong = await compiler.CompileAsync(source.With("openat", static claim => claim.Falsified()), TestContext.Current.CancellationToken);
        wrong.Should().Contain("\"openat\"");
    }

    [Theory]
    [InlineData(SeccompArchitecture.X64, "unistd_64.h")]
    [InlineData(SeccompArchitecture.X86, "unistd_32.h")]
    [InlineData(SeccompArchitecture.X32, "unistd_x32.h")]
    public async Task No_call_of_the_kernels_headers_is_missing(SeccompArchitecture architecture, string header)
    {
        var path = "/usr/include/x86_64-linux-gnu/asm/" + header;
        Assert.SkipUnless(File.Exists(path), $"This machine has no {path} (linux-libc-dev).");
        var defined = Definition().Matches(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken))
            .Select(match => (Name: match.Groups[1].Value, Number: int.Parse(match.Groups[2].ValueSpan, null))).ToArray();
        defined.Should().HaveCountGreaterThan(300);
        foreach (var (name, number) in defined)
            if (number <= 471) SyscallNames.Number(name, architecture).Should().Be(number, name); // newer headers may have newer calls
    }

    [Fact]
    public void New_calls_have_one_number_everywhere()
    {
        foreach (var name in SyscallNames.All)
        {
            int[] numbers = [.. Enum.GetValues<SeccompArchitecture>().Select(architecture => SyscallNames.Number(name, architecture)).Where(number => number >= 0)];
            if (numbers.Any(number => number is > 423 and < 512)) numbers.Distinct().Should().ContainSingle(name);
        }
    }

    /// <summary>The library's own calls are in both tables.</summary>
    [Fact]
    public void The_table_agrees_with_that_of_the_librarys_own_calls()
    {
        foreach (var call in Enum.GetValues<Isolation.Interop.Sys>())
        {
            SyscallNames.Number(call.ToString(), SeccompArchitecture.X64).Should().Be(Isolation.Interop.SyscallTable.X64[(int)call], call.ToString());
            SyscallNames.Number(call.ToString(), SeccompArchitecture.Arm64).Should().Be(Isolation.Interop.SyscallTable.Arm64[(int)call], call.ToString());
        }
    }

    private static CAssertion Claim(string name, SeccompArchitecture architecture)
    {
        var number = SyscallNames.Number(name, architecture);
        var bit = architecture == SeccompArchitecture.X32 ? "__X32_SYSCALL_BIT + " : "";
        Version? since = number > LastOfDebian12 && number < 512 ? s_later.Last(entry => entry.Number <= number).Since
            : name is "uretprobe" or "uprobe" ? s_never : null; // asm/unistd_64.h of 6.11 and 6.18 has them, backports aside
        return new CAssertion(name, $"__NR_{name} == {bit}{number}", since, "__NR_" + name);
    }

    [GeneratedRegex(@"^#define __NR_(\w+) \(?(?:__X32_SYSCALL_BIT \+ )?(\d+)\)?$", RegexOptions.Multiline)]
    private static partial Regex Definition();
}
