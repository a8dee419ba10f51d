using Isolation.Filtering;
using Isolation.Interop;

namespace Isolation.Tests.Filtering;

/// <summary>What a profile says about a call, read rule by rule as a person would: what the compiler is compared with.</summary>
internal static class PlainReading
{
    internal static uint Of(SeccompProfile profile, SeccompArchitecture native, ulong capabilities, uint token, uint number, ReadOnlySpan<ulong> arguments)
    {
        if (Architecture(native, token, number) is not { } architecture) return profile.ForeignAction.Result;
        if (architecture != native && !profile.Architectures.Contains(architecture)) return profile.ForeignAction.Result;
        var name = number == uint.MaxValue ? null
            : SyscallNames.Name((int)(architecture == SeccompArchitecture.X32 ? number & ~0x40000000u : number), architecture);
        if (name is null) return (profile.UnknownAction ?? profile.DefaultAction).Result;
        foreach (var rule in profile.Rules)
        {
            if ((rule.RequiredCapabilities & ~capabilities) != 0 || (rule.ExcludedCapabilities & capabilities) != 0) continue;
            // one number may have two names
            if (!rule.Syscalls.Any(call => SyscallNames.Number(call, architecture) == SyscallNames.Number(name, architecture))) continue;
            var fits = true;
            foreach (var condition in rule.Conditions)
            {
                var argument = new System.Numerics.BigInteger(arguments[condition.Argument] & condition.Mask);
                var order = argument.CompareTo(condition.Value);
                fits &= condition.Operator switch
                {
                    SeccompOperator.Equal => order == 0,
                    SeccompOperator.NotEqual => order != 0,
                    SeccompOperator.Less => order < 0,
                    SeccompOperator.LessOrEqual => order <= 0,
                    SeccompOperator.Greater => order > 0,
                    _ => order >= 0,
                };
            }

            if (fits) return rule.Action.Result;
        }

        return profile.DefaultAction.Result;
    }

    private static SeccompArchitecture? Architecture(SeccompArchitecture native, uint token, uint number) => (native, token) switch
    {
        (SeccompArchitecture.X64, Linux.AUDIT_ARCH_X86_64) =>
            (number & 0x40000000) != 0 && number != uint.MaxValue ? SeccompArchitecture.X32 : SeccompArchitecture.X64,
        (SeccompArchitecture.X64, Linux.AUDIT_ARCH_I386) => SeccompArchitecture.X86,
        (SeccompArchitecture.Arm64, Linux.AUDIT_ARCH_AARCH64) => SeccompArchitecture.Arm64,
        (SeccompArchitecture.Arm64, Linux.AUDIT_ARCH_ARM) => SeccompArchitecture.Arm,
        _ => null,
    };
}
