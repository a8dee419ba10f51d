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
    private const int MaxRanges = 96;

    private int _descriptor = -1;
    private byte* _memory;
    private int _size;
    private Scratch* _scratch;
    private bool _isFile;

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

    internal int Descriptor => _descriptor;

    /// <summary>Not to be used again: it is large, or somebody else's as well.</summary>
    internal bool IsOnce => _size > 1 << 20 || _isFile;

    internal ref ProgramHeader Header => ref *(ProgramHeader*)_memory;

    internal Span<byte> Data => new(_memory + StageFormat.DataOffset, Plan.Data.Length);

    internal LaunchArena()
        : this(NewFile())
    {
    }

    private LaunchArena(int descriptor)
    {
        _descriptor = descriptor;
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

    // A program that has been started already.
    private LaunchArena(int descriptor, byte* memory, int size)
    {
        (_descriptor, _size, _isFile) = (descriptor, size, true);
        _memory = memory;
    }

    /// <summary>One in a file that outlives this process. The descriptor becomes its own.</summary>
    internal static LaunchArena InFile(int descriptor) => new(descriptor) { _isFile = true };

    /// <summary>That of a program which somebody has started. The descriptor becomes its own, unless it is no such file, which is null.</summary>
    internal static LaunchArena? OfFile(int descriptor, int size)
    {
        if (size < StageFormat.DataOffset + sizeof(DetachedRecord)) return null;
        var memory = Kernel.mmap(size, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED, descriptor);
        if (Kernel.IsError(memory)) throw LaunchFailure.Host("look at a detached program", "mmap", (int)-memory);
        if (((ProgramHeader*)memory)->Magic == StageFormat.Magic && ((DetachedRecord*)(memory + StageFormat.DataOffset))->Version == DetachedRecord.CurrentVersion)
            return new LaunchArena(descriptor, (byte*)memory, size);
        _ = Kernel.munmap(memory, size);
        return null;
    }

    /// <summary>Of an arena in a file.</summary>
    internal ref DetachedRecord Record => ref *(DetachedRecord*)(_memory + StageFormat.DataOffset);

    /// <summary>
    /// Waits until the child that runs the stage execs the program or is gone; false when the time is up first.
    /// </summary>
    internal bool WaitForEnd(int pidfd, long deadline)
    {
        const uint ownerDied = 0x40000000;
        while (true)
        {
            var alive = Volatile.Read(ref Header.Alive);
            if ((alive & ownerDied) != 0) return true;
            if (!WaitForChange(ref Header.Alive, alive, pidfd, deadline, out var gone)) return false;
            if (gone) return true;
        }
    }

    /// <summary>Waits for the pid of a monitor's child; 0 when the monitor is gone, -1 when the time is up.</summary>
    internal int WaitForChild(int pidfd, long deadline)
    {
        while (true)
        {
            var child = Volatile.Read(ref Header.Child);
            if (child != 0) return child;
            if (!WaitForChange(ref Unsafe.As<int, uint>(ref Header.Child), 0, pidfd, deadline, out var gone)) return -1;
            if (gone) return Volatile.Read(ref Header.Child);
        }
    }

    /// <summary>Waits for the stage's next question; 0 when it has ended without one, -1 when the time is up.</summary>
    internal int WaitForQuestion(int number, int pidfd, long deadline)
    {
        while (true)
        {
            var asked = Volatile.Read(ref Header.Asked);
            if (asked >= number) return number;
            if (Volatile.Read(ref Header.Failed) >= 0) return 0;
            if (!WaitForChange(ref Header.Asked, asked, pidfd, deadline, out var gone)) return -1;
            if (gone) return Volatile.Read(ref Header.Asked) >= number ? number : 0;
        }
    }

    // A child that dies before it has told the kernel about the futex wakes nobody: look after it now and then.
    private bool WaitForChange(ref uint word, uint value, int pidfd, long deadline, out bool gone)
    {
        const long patience = 50;
        var left = deadline - Environment.TickCount64;
        gone = false;
        if (left <= 0) return false;
        var result = Kernel.futex_wait((uint*)Unsafe.AsPointer(ref word), value, Math.Min(left, patience));
        if (result != -(int)Errno.ETIMEDOUT) return true;
        Span<pollfd> wait = [new pollfd { fd = pidfd, events = Linux.POLLIN }];
        gone = Kernel.poll(wait, TimeSpan.Zero) > 0;
        return true;
    }

    /// <summary>The result that the stage has noted for a step.</summary>
    internal long Result(int step) => ((EncodedStep*)(_memory + Header.StepsOffset))[step].Result;

    /// <summary>What the plan enforces, once it has been carried out: some steps may have failed, and say what is not.</summary>
    internal EnforcementRecord Enforced()
    {
        var record = Plan.Enforced;
        if (Plan.KeyringStep >= 0 && Plan.Steps[Plan.KeyringStep].Tolerates((int)Errno.EPERM) && Result(Plan.KeyringStep) < 0) record.Keyring = SessionKeyring.OutOfReach;
        if (Plan.LookedUp is { } user) (record.UserId, record.GroupId) = ((uint)Header.Registers[user.User], (uint)Header.Registers[user.Group]);
        if ((record.Namespaces & Namespaces.Mount) != 0) record.ClosedPaths = KernelPaths.Closed(Plan.Steps, this, Plan.FirstPlacement);
        return record;
    }

    /// <summary>Writes the plan into the memory file, with the descriptor numbers of this start.</summary>
    internal void Encode(ReadOnlySpan<int> handles)
    {
        var steps = Plan.Steps;
        var stepsOffset = StageFormat.DataOffset + Plan.Data.Length + 7 & ~7;
        var total = stepsOffset + steps.Length * sizeof(EncodedStep);
        if (total > _size) Resize(total);
        // What earlier starts have left is nobody's business who gets to see a supervisor's memory.
        if (Plan.IsSupervised) new Span<byte>(_memory + total, _size - total).Clear();
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
                StepKind.AwaitHost or StepKind.AskHost => StageFormat.OpAwaitHost,
                StepKind.Fork => StageFormat.OpFork,
                StepKind.KillListed => StageFormat.OpKillListed,
                StepKind.Store => StageFormat.OpStore,
                _ => StageFormat.OpSyscall,
            };
            target.Out = step.Out;
            target.RepeatArgument = step.RepeatArgument;
            target.RepeatLast = step.RepeatLast;
            target.Tolerated = step.ToleratedErrnos;
            target.Skip = step.Skip;
            target.SkipDone = step.SkipDone;
            if (step.Kind is StepKind.HostWrite or StepKind.HostRun)
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
        if (handles[PlanHandle.Status] >= 0) return;
        Header.RobustNext = StageFormat.Base + StageFormat.RobustEntryOffset;
        Header.RobustEntry = StageFormat.Base + StageFormat.RobustHeadOffset;
        Header.RobustOffset = unchecked((ulong)(StageFormat.AliveOffset - StageFormat.RobustEntryOffset));
    }

    /// <summary>
    /// Clones; the child execs the stage while this returns. <paramref name="listed"/>: where the kernel writes the pid before
    /// the child exists for anybody, or null.
    /// </summary>
    /// <remarks>
    /// No CLONE_VFORK: the host would sleep until the exec of the stage only to be woken, look, and sleep again until the exec
    /// of the program, while it has work to do meanwhile. What vfork would protect from does not arise in the few
    /// microseconds of the stub: the child has a stack of its own in this arena, which is not used again before the start is
    /// over, stays in the host's control groups (where running out of memory ends the host with or without it), and writes
    /// nothing that belongs to the address space as a whole.
    /// CLONE_FILES in <paramref name="flags"/>: the child is born in the host's own table of descriptors, and the first
    /// close_range gives it a copy that leaves out the range, instead of a copy of everything whose files it then has to close
    /// one by one. Until then, and so until the program runs, the host must not close what the program is to have.
    /// </remarks>
    /// <returns>The pid, or -errno.</returns>
    internal int Spawn(ulong flags, ReadOnlySpan<int> handles, uint* listed, bool legacy, out int pidfd)
    {
        FillCloseRanges(handles);
        _scratch->Pidfd = -1;
        var pid = listed is null ? (uint*)&_scratch->Pid : listed;
        flags |= Linux.CLONE_VM;
        // clone(2) has one pointer for both. A child that is listed is ours to reap, so its pidfd can be had later; one that
        // is not may be gone by then, as in a host that ignores SIGCHLD.
        var tellsPidfd = !legacy || listed is null;
        var tellsPid = !legacy || listed is not null;
        if (tellsPidfd) flags |= Linux.CLONE_PIDFD;
        if (tellsPid) flags |= Linux.CLONE_PARENT_SETTID;
        _scratch->Clone = new clone_args
        {
            flags = flags,
            pidfd = legacy ? 0 : (ulong)&_scratch->Pidfd,
            parent_tid = tellsPid ? (ulong)pid : (ulong)&_scratch->Pidfd,
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
            Personality = Plan.StagePersonality,
            CloseFlags = (flags & Linux.CLONE_FILES) != 0 ? Linux.CLOSE_RANGE_UNSHARE : 0,
        };
        if ((flags & Linux.CLONE_NEWUSER) != 0) KeepCapabilities(Plan.CarriedCapabilities);
        var result = (int)NativeCode.Spawn(&_scratch->Spawn);
        pidfd = _scratch->Pidfd;
        if (result > 0 && !tellsPidfd) pidfd = Kernel.pidfd_open(result);
        return result;
    }

    /// <summary>-errno when the child could not even start the stage, else 0. Valid once the child is gone.</summary>
    internal int SpawnError => (int)Volatile.Read(ref _scratch->Spawn.Error);

    /// <summary>The host has run its own steps (0), or answered the question of this number.</summary>
    internal void ReleaseStage(int question = 0)
    {
        Volatile.Write(ref Header.Go, (uint)question + 1);
        _ = Kernel.futex_wake((uint*)Unsafe.AsPointer(ref Header.Go));
    }

    public void Dispose()
    {
        if (_memory != null) _ = Kernel.munmap((nint)_memory, _size);
        _memory = null;
        if (_descriptor >= 0) LowDescriptors.Close(_descriptor);
        _descriptor = -1;
        if (_scratch != null) NativeMemory.AlignedFree(_scratch);
        _scratch = null;
    }

    private void KeepCapabilities(ulong mask)
    {
        // In its new namespace the child has all there are; only the inheritable ones can be made ambient.
        var all = (2ul << Host.LastCapability) - 1;
        _scratch->CapabilityHeader = new cap_header { version = Linux._LINUX_CAPABILITY_VERSION_3 };
        _scratch->CapabilityData = new cap_data
        {
            effective0 = (uint)all, permitted0 = (uint)all, inheritable0 = (uint)mask,
            effective1 = (uint)(all >> 32), permitted1 = (uint)(all >> 32), inheritable1 = (uint)(mask >> 32),
        };
        _scratch->Spawn.Capabilities = &_scratch->CapabilityHeader;
        _scratch->Spawn.Ambient = mask;
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
        nuint count = 1; // the last range comes first, see Spawn
        foreach (var fd in needed)
        {
            if (fd < 0 || (uint)fd < next) continue;
            if ((uint)fd > next) Add(next, (uint)fd - 1, ref count);
            // A pair in the wrong order keeps a descriptor across the exec. The stage itself needs none of its own.
            if (fd > 2 && fd != StageImage.Descriptor) Add((uint)fd, 0, ref count);
            next = (uint)fd + 1;
        }

        _scratch->CloseRanges[0] = next;
        _scratch->CloseRanges[1] = uint.MaxValue;
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

        WriteArguments();
    }

    /// <summary>A child that supervises keeps the memory as long as the sandbox lives; the low number is for those that start.</summary>
    internal void LeaveLowDescriptor()
    {
        if (!LowDescriptors.Has(_descriptor)) return;
        var other = Kernel.fcntl(_descriptor, Linux.F_DUPFD_CLOEXEC, 3);
        if (other < 0) return;
        LowDescriptors.Close(_descriptor);
        _descriptor = other;
        WriteArguments();
    }

    private static int NewFile()
    {
        _ = StageImage.Descriptor; // first: it may fail, and wants the lowest number
        return LowDescriptors.Move(Kernel.AboveStandard(Kernel.memfd_create("isolation-program\0"u8, Linux.MFD_CLOEXEC)));
    }

    private void WriteArguments()
    {
        var strings = (byte*)&_scratch->Strings;
        "isolation\0"u8.CopyTo(new Span<byte>(strings, 16));
        WriteNumber(strings + 16, _descriptor);
        WriteNumber(strings + 32, _size);
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
