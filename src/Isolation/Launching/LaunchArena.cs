using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Isolation.Interop;
using Isolation.Planning;
using Isolation.Stage;

namespace Isolation.Launching;

/// <summary>
/// The native side of one start: a memfd that the stage maps as its program, a stack for the child, and the arguments of
/// clone3 and execveat. Used again and again, so that a start in steady state allocates and maps nothing.
/// </summary>
internal sealed unsafe class LaunchArena : IDisposable
{
    private const int InitialSize = 64 * 1024;
    private const int StackSize = 16 * 1024;
    private const int MaxRanges = 64;

    private int _descriptor = -1;
    private byte* _memory;
    private int _size;
    private Scratch* _scratch;

    // Everything the child touches before its exec, in native memory: the garbage collector may move objects meanwhile.
    private struct Scratch
    {
        internal clone_args Clone;
        internal SpawnArguments Spawn;
        internal cap_header CapabilityHeader;
        internal cap_data CapabilityData;
        internal int Pidfd;
        internal int Pid;
        internal Ranges CloseRanges;
        internal Pointers Argv;
        internal nint Envp;
        internal Texts Strings;

        [InlineArray(MaxRanges * 2)]
        internal struct Ranges
        {
            private uint _first;
        }

        [InlineArray(4)]
        internal struct Pointers
        {
            private nint _first;
        }

        [InlineArray(64)]
        internal struct Texts
        {
            private byte _first;
        }
    }

    internal LaunchPlan Plan { get; } = new();

    internal ref ProgramHeader Header => ref *(ProgramHeader*)_memory;

    internal ReadOnlySpan<byte> Data => new(_memory + StageFormat.DataOffset, Plan.Data.Length);

    internal LaunchArena()
    {
        _descriptor = Kernel.AboveStandard(Kernel.memfd_create("isolation-program\0"u8, Linux.MFD_CLOEXEC));
        if (_descriptor < 0) throw LaunchFailure.Host("make a memory file for the plan", "memfd_create", -_descriptor);
        _scratch = (Scratch*)NativeMemory.AlignedAlloc((nuint)(sizeof(Scratch) + StackSize + 63 & ~63), 64);
        *_scratch = default;
        try
        {
            Resize(InitialSize);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The result that the stage has noted for a step.</summary>
    internal long Result(int step) => ((EncodedStep*)(_memory + Header.StepsOffset))[step].Result;

    /// <summary>Writes the plan into the memory file, with the descriptor numbers of this start.</summary>
    internal void Encode(ReadOnlySpan<int> handles)
    {
        var steps = Plan.Steps;
        var stepsOffset = StageFormat.DataOffset + Plan.Data.Length + 7 & ~7;
        var total = stepsOffset + steps.Length * sizeof(EncodedStep);
        if (total > _size) Resize(total);
        Plan.Data.CopyTo(new Span<byte>(_memory + StageFormat.DataOffset, Plan.Data.Length));

        var encoded = (EncodedStep*)(_memory + stepsOffset);
        var count = 0;
        for (var i = 0; i < steps.Length; i++)
        {
            ref var step = ref steps[i];
            ref var target = ref encoded[count++];
            target = default;
            target.Op = step.Kind switch
            {
                StepKind.Check => StageFormat.OpCheck,
                StepKind.AwaitHost => StageFormat.OpAwaitHost,
                StepKind.Fork => StageFormat.OpFork,
                StepKind.KillListed => StageFormat.OpKillListed,
                _ => StageFormat.OpSyscall,
            };
            target.Out = step.Out;
            target.RepeatArgument = step.RepeatArgument;
            target.RepeatLast = step.RepeatLast;
            target.Tolerated = step.ToleratedErrnos;
            target.Skip = step.Skip;
            if (step.Kind == StepKind.HostWrite)
            {
                // The index of a step in the stage is its index in the plan, so the host's steps keep a place: an empty check.
                target.Op = StageFormat.OpCheck;
                target.Arguments[0] = StageFormat.DataPointer(0);
                target.Arguments[1] = 1;
                continue;
            }

            target.Number = step.Kind == StepKind.Syscall ? (uint)SyscallTable.Number(step.Call) : 0;
            for (var k = 0; k < 6; k++)
            {
                var value = step.Values[k];
                switch (step.Kinds[k])
                {
                    case ArgumentKind.Text or ArgumentKind.Bytes or ArgumentKind.Strings:
                        value = StageFormat.DataPointer((int)value);
                        break;
                    case ArgumentKind.Handle:
                        value = (ulong)handles[(int)value];
                        break;
                    case ArgumentKind.Register:
                        target.RegisterArguments |= (byte)(1 << k);
                        break;
                }

                target.Arguments[k] = value;
            }
        }

        Header = new ProgramHeader
        {
            Magic = StageFormat.Magic,
            Count = (uint)count,
            Failed = -1,
            StatusDescriptor = handles[PlanHandle.Status],
            StepsOffset = (uint)stepsOffset,
        };
    }

    /// <summary>
    /// Clones and execs the stage; returns once it runs. <paramref name="listed"/>: where the kernel writes the pid before
    /// the child exists for anybody, or null.
    /// </summary>
    /// <returns>The pid, or -errno.</returns>
    internal int Spawn(ulong flags, ReadOnlySpan<int> handles, uint* listed, bool legacy, out int pidfd)
    {
        FillCloseRanges(handles);
        _scratch->Pidfd = -1;
        var pid = listed is null ? (uint*)&_scratch->Pid : listed;
        flags |= Linux.CLONE_VM | Linux.CLONE_VFORK | Linux.CLONE_PARENT_SETTID;
        // clone(2) has one pointer for both
        if (!legacy) flags |= Linux.CLONE_PIDFD;
        _scratch->Clone = new clone_args
        {
            flags = flags,
            pidfd = legacy ? 0 : (ulong)&_scratch->Pidfd,
            parent_tid = (ulong)pid,
            exit_signal = Linux.SIGCHLD,
            stack = (ulong)((nint)(_scratch + 1) + 15 & ~15),
            stack_size = StackSize - 64,
        };
        _scratch->Spawn = new SpawnArguments
        {
            Arguments = &_scratch->Clone,
            ArgumentsSize = (nuint)sizeof(clone_args),
            Legacy = legacy ? 1u : 0u,
            CloseRanges = (uint*)&_scratch->CloseRanges,
            CloseRangeCount = _scratch->Spawn.CloseRangeCount,
            StageDescriptor = StageImage.Descriptor,
            Argv = (byte**)&_scratch->Argv,
            Envp = (byte**)&_scratch->Envp,
        };
        if ((flags & Linux.CLONE_NEWUSER) != 0) KeepCapabilities(Host.LastCapability);
        var result = (int)NativeCode.Spawn(&_scratch->Spawn);
        pidfd = _scratch->Pidfd;
        if (result > 0 && legacy) pidfd = Kernel.pidfd_open(result);
        return result;
    }

    /// <summary>-errno when the child could not even start the stage, else 0.</summary>
    internal int SpawnError => (int)_scratch->Spawn.Error;

    internal void ReleaseStage()
    {
        Volatile.Write(ref Header.Go, 1);
        _ = Kernel.futex_wake((uint*)Unsafe.AsPointer(ref Header.Go));
    }

    public void Dispose()
    {
        if (_memory != null) _ = Kernel.munmap((nint)_memory, _size);
        _memory = null;
        if (_descriptor >= 0) _ = Kernel.close(_descriptor);
        _descriptor = -1;
        if (_scratch != null) NativeMemory.AlignedFree(_scratch);
        _scratch = null;
    }

    private void KeepCapabilities(int last)
    {
        var mask = (2ul << last) - 1;
        var (low, high) = ((uint)mask, (uint)(mask >> 32));
        _scratch->CapabilityHeader = new cap_header { version = Linux._LINUX_CAPABILITY_VERSION_3 };
        _scratch->CapabilityData = new cap_data
        {
            effective0 = low, permitted0 = low, inheritable0 = low, effective1 = high, permitted1 = high, inheritable1 = high,
        };
        _scratch->Spawn.Capabilities = &_scratch->CapabilityHeader;
        _scratch->Spawn.LastCapability = (nuint)last;
    }

    /// <summary>Closes everything between the descriptors that the stage needs.</summary>
    private void FillCloseRanges(ReadOnlySpan<int> handles)
    {
        Span<int> needed = stackalloc int[handles.Length + 2];
        handles.CopyTo(needed);
        needed[^2] = _descriptor;
        needed[^1] = StageImage.Descriptor;
        needed.Sort();
        var next = 0u;
        nuint count = 0;
        foreach (var fd in needed)
        {
            if (fd < 0 || (uint)fd < next) continue;
            if ((uint)fd > next) Add(next, (uint)fd - 1, ref count);
            // A pair in the wrong order keeps a descriptor across the exec. The stage itself needs none of its own.
            if (fd > 0 && fd != StageImage.Descriptor) Add((uint)fd, 0, ref count);
            next = (uint)fd + 1;
        }

        Add(next, uint.MaxValue, ref count);
        _scratch->Spawn.CloseRangeCount = count;

        void Add(uint first, uint last, ref nuint index)
        {
            _scratch->CloseRanges[(int)index * 2] = first;
            _scratch->CloseRanges[(int)index++ * 2 + 1] = last;
        }
    }

    private void Resize(int size)
    {
        size = (size + 0xffff) & ~0xffff; // whole pages of every size there is
        var result = Kernel.ftruncate(_descriptor, size);
        if (result < 0) throw LaunchFailure.Host("make room for the plan", "ftruncate", -result);
        var memory = Kernel.mmap(size, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED, _descriptor);
        if (Kernel.IsError(memory)) throw LaunchFailure.Host("make room for the plan", "mmap", (int)-memory);
        if (_memory != null) _ = Kernel.munmap((nint)_memory, _size);
        _memory = (byte*)memory;
        _size = size;

        var strings = (byte*)&_scratch->Strings;
        "isolation\0"u8.CopyTo(new Span<byte>(strings, 16));
        WriteNumber(strings + 16, _descriptor);
        WriteNumber(strings + 32, size);
        _scratch->Argv[0] = (nint)strings;
        _scratch->Argv[1] = (nint)(strings + 16);
        _scratch->Argv[2] = (nint)(strings + 32);
        _scratch->Argv[3] = 0;
    }

    private static void WriteNumber(byte* to, int value)
    {
        Utf8Formatter.TryFormat(value, new Span<byte>(to, 15), out var length);
        to[length] = 0;
    }
}
