using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Isolation.Interop;

namespace Isolation.Filtering;

/// <summary>What the host does about the calls of one sandbox, and the filter that brings them to it.</summary>
internal sealed class SyscallSupervision(CompiledFilter filter, SecurityOptions security, Action<Exception> failed)
{
    /// <summary>seccomp(2) with an operation that there is not: the first call under the filter, by which the stage waits for the host.</summary>
    internal const uint Fence = 0xffffffff;

    private const int NumberOffset = 0, ArchitectureOffset = 4, ArgumentsOffset = 16;
    private const ushort Return = Linux.BPF_RET | Linux.BPF_K;

    private readonly Func<SyscallNotification, ValueTask<SyscallAnswer>>? _handler = security.SyscallHandler;
    private readonly Action<SyscallDenial>? _reporter = security.DenialReporter;

    internal static bool IsWanted(SecurityOptions security, CompiledFilter filter) => filter.Notifies || security.DenialReporter is not null;

    /// <summary>
    /// The profile's filter, with the fence before it, and with those errors turned into questions that are to be reported. ENOSYS
    /// is not: it stands for calls that are not there, which programs try all the time. Who is to be killed waits as well, so that it can
    /// be told for what.
    /// </summary>
    internal byte[] Code()
    {
        const int added = 7;
        var original = MemoryMarshal.Cast<byte, sock_filter>(filter.Code);
        var code = new sock_filter[original.Length + added];
        code[0] = Load(ArchitectureOffset);
        code[1] = Equal(filter.Native == SeccompArchitecture.Arm64 ? Linux.AUDIT_ARCH_AARCH64 : Linux.AUDIT_ARCH_X86_64, otherwise: 5);
        code[2] = Load(NumberOffset);
        code[3] = Equal((uint)SyscallTable.Number(Sys.seccomp), otherwise: 3);
        code[4] = Load(ArgumentsOffset);
        code[5] = Equal(Fence, otherwise: 1);
        code[6] = new sock_filter { code = Return, k = Linux.SECCOMP_RET_USER_NOTIF };
        original.CopyTo(code.AsSpan(added));
        if (_reporter is not null)
        {
            foreach (ref var instruction in code.AsSpan(added))
                if (instruction.code == Return && IsReported(instruction.k)) instruction.k = Linux.SECCOMP_RET_USER_NOTIF;
        }

        return MemoryMarshal.AsBytes<sock_filter>(code).ToArray();
    }

    internal static bool IsFence(in seccomp_data data) =>
        data.nr == SyscallTable.Number(Sys.seccomp) && (uint)data.args == Fence && Architecture(data) == FilterCache.Native;

    internal static SeccompArchitecture? Architecture(in seccomp_data data) => data.arch switch
    {
        Linux.AUDIT_ARCH_X86_64 => (data.nr & 0x40000000) != 0 ? SeccompArchitecture.X32 : SeccompArchitecture.X64,
        Linux.AUDIT_ARCH_I386 => SeccompArchitecture.X86,
        Linux.AUDIT_ARCH_AARCH64 => SeccompArchitecture.Arm64,
        Linux.AUDIT_ARCH_ARM => SeccompArchitecture.Arm,
        _ => null,
    };

    /// <summary>What the profile itself has to say of a call: that it is refused, or nothing, as it is for the handler.</summary>
    internal SyscallDenial? Refusal(SyscallNotification call)
    {
        if (_reporter is null) return null;
        var action = SeccompAction.FromResult(Evaluate(filter.Code, call.Data));
        return action.Kind switch
        {
            SeccompActionKind.Errno => new SyscallDenial(call, action.Data, SyscallPaths.Of(call)),
            SeccompActionKind.KillProcess => new SyscallDenial(call, 0, SyscallPaths.Of(call)) { IsFatal = true },
            _ => null,
        };
    }

    internal void Report(SyscallDenial denial)
    {
        try
        {
            _reporter!(denial);
        }
        catch (Exception e)
        {
            failed(e);
        }
    }

    /// <summary>Without a handler, and when it fails, the call is refused.</summary>
    internal async ValueTask<SyscallAnswer> AskAsync(SyscallNotification call)
    {
        if (_handler is null) return SyscallAnswer.Fail((int)Errno.EPERM);
        try
        {
            return await _handler(call).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failed(e);
            return SyscallAnswer.Fail((int)Errno.EPERM);
        }
    }

    /// <summary>What a filter says of a call: classic BPF, as far as the compiler makes use of it.</summary>
    internal static uint Evaluate(ReadOnlySpan<byte> bytes, in seccomp_data call)
    {
        var code = MemoryMarshal.Cast<byte, sock_filter>(bytes);
        var data = MemoryMarshal.AsBytes(new ReadOnlySpan<seccomp_data>(in call));
        uint a = 0;
        for (var i = 0; ; i++)
        {
            var (operation, k) = (code[i].code, code[i].k);
            switch (operation)
            {
                case Linux.BPF_LD | Linux.BPF_W | Linux.BPF_ABS:
                    a = BinaryPrimitives.ReadUInt32LittleEndian(data[(int)k..]);
                    break;
                case Linux.BPF_ALU | Linux.BPF_AND | Linux.BPF_K:
                    a &= k;
                    break;
                case Linux.BPF_JMP | Linux.BPF_JA:
                    i += (int)k;
                    break;
                case Return:
                    return k;
                default:
                    var holds = operation switch
                    {
                        Linux.BPF_JMP | Linux.BPF_JEQ | Linux.BPF_K => a == k,
                        Linux.BPF_JMP | Linux.BPF_JGT | Linux.BPF_K => a > k,
                        Linux.BPF_JMP | Linux.BPF_JGE | Linux.BPF_K => a >= k,
                        Linux.BPF_JMP | Linux.BPF_JSET | Linux.BPF_K => (a & k) != 0,
                        _ => throw new InvalidOperationException($"The compiler makes no instruction {operation:x}."),
                    };
                    i += holds ? code[i].jt : code[i].jf;
                    break;
            }
        }
    }

    private static bool IsReported(uint result) =>
        (result & Linux.SECCOMP_RET_ACTION_FULL) == Linux.SECCOMP_RET_KILL_PROCESS ||
        (result & Linux.SECCOMP_RET_ACTION_FULL) == Linux.SECCOMP_RET_ERRNO && (result & Linux.SECCOMP_RET_DATA) is not 0 and not (uint)Errno.ENOSYS;

    private static sock_filter Load(int offset) => new() { code = Linux.BPF_LD | Linux.BPF_W | Linux.BPF_ABS, k = (uint)offset };

    private static sock_filter Equal(uint value, byte otherwise) => new() { code = Linux.BPF_JMP | Linux.BPF_JEQ | Linux.BPF_K, jf = otherwise, k = value };
}
