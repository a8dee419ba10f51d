using FluentAssertions;
using Isolation.Filtering;
using Isolation.Interop;

namespace Isolation.Tests.Filtering;

/// <summary>Puts every call, with the arguments at which a profile's comparisons turn over, to a filter and to a plain reading of the profile.</summary>
internal static class FilterComparison
{
    private static readonly uint[] s_tokens =
        [Linux.AUDIT_ARCH_X86_64, Linux.AUDIT_ARCH_I386, Linux.AUDIT_ARCH_AARCH64, Linux.AUDIT_ARCH_ARM, 0, 0xc0000016 /* s390x */, uint.MaxValue];

    private static readonly uint[] s_numbers =
    [
        .. Enumerable.Range(0, 600).Select(number => (uint)number), .. Enumerable.Range(0, 600).Select(number => (uint)number | 0x40000000),
        .. Enumerable.Range(0xf0000, 12).Select(number => (uint)number), 0x3fffffff, 0x7fffffff, 0x80000000, 0xbfffffff, 0xfffffffe, uint.MaxValue,
    ];

    /// <summary>How many calls were compared.</summary>
    internal static int Compare(SeccompProfile profile, SeccompArchitecture native, ulong capabilities, Random random)
    {
        var filter = FilterCompiler.Compile(profile, native, capabilities);
        var count = 0;
        var arguments = new ulong[6];
        foreach (var token in s_tokens)
        {
            foreach (var number in s_numbers)
            {
                Check(filter, token, number, arguments);
                foreach (var condition in Conditions(profile, native, token, number))
                {
                    foreach (var value in Interesting(condition))
                    {
                        for (var i = 0; i < arguments.Length; i++) arguments[i] = Any(profile, random);
                        arguments[condition.Argument] = value;
                        Check(filter, token, number, arguments);
                    }

                    arguments.AsSpan().Clear();
                }
            }
        }

        return count;

        void Check(CompiledFilter compiled, uint token, uint number, ulong[] values)
        {
            var expected = PlainReading.Of(profile, native, capabilities, token, number, values);
            var actual = BpfMachine.Run(compiled, token, number, values);
            if (actual != expected)
            {
                SeccompAction.FromResult(actual).Should().Be(SeccompAction.FromResult(expected), "call {0} of 0x{1:x} with {2} under\n{3}\nis\n{4}",
                    number, token, string.Join(", ", values), profile, FilterPrinter.Print(compiled));
            }

            count++;
        }
    }

    private static IEnumerable<SeccompCondition> Conditions(SeccompProfile profile, SeccompArchitecture native, uint token, uint number)
    {
        SeccompArchitecture[] all = native == SeccompArchitecture.X64
            ? [SeccompArchitecture.X64, SeccompArchitecture.X86, SeccompArchitecture.X32] : [SeccompArchitecture.Arm64, SeccompArchitecture.Arm];
        var bare = (int)(number & ~0x40000000u);
        if (token is not (Linux.AUDIT_ARCH_X86_64 or Linux.AUDIT_ARCH_I386 or Linux.AUDIT_ARCH_AARCH64 or Linux.AUDIT_ARCH_ARM)) return [];
        return from rule in profile.Rules
               where rule.Conditions.Count > 0 && rule.Syscalls.Any(name => all.Any(architecture => SyscallNames.Number(name, architecture) == bare))
               from condition in rule.Conditions
               select condition;
    }

    private static IEnumerable<ulong> Interesting(SeccompCondition condition)
    {
        var value = condition.Value;
        yield return 0;
        yield return ulong.MaxValue;
        yield return value;
        yield return value - 1;
        yield return value + 1;
        yield return value ^ 1ul << 32;
        yield return value ^ 1ul << 63;
        yield return value + (1ul << 32);
        yield return value - (1ul << 32);
        yield return (uint)value;
        yield return value >> 32;
        yield return value << 32;
        yield return condition.Mask;
        yield return ~condition.Mask;
        yield return value | ~condition.Mask;
    }

    private static ulong Any(SeccompProfile profile, Random random)
    {
        var conditions = profile.Rules[random.Next(profile.Rules.Count)].Conditions;
        return conditions.Count > 0 ? conditions[random.Next(conditions.Count)].Value + (ulong)random.Next(3) - 1 : (ulong)random.NextInt64();
    }
}
