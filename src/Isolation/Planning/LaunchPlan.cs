using System.Runtime.InteropServices;
using System.Text;
using CommunityToolkit.HighPerformance.Buffers;
using Isolation.Interop;
using Isolation.Stage;

namespace Isolation.Planning;

/// <summary>
/// The ordered steps that turn a fresh child into the user's program, and the data they point to. Pure: making a plan
/// touches nothing. Reused from start to start, so that a start in steady state allocates nothing here.
/// </summary>
internal sealed class LaunchPlan
{
    private readonly ArrayPoolBufferWriter<Step> _steps = new(128);
    private readonly ArrayPoolBufferWriter<byte> _data = new(4096);
    private byte _nextRegister;
    private EnforcementRecord _enforced;

    /// <summary>A register whose value is not needed for longer than a few steps.</summary>
    internal const byte Scratch = 199;

    /// <summary>Namespace flags for the clone that makes the sandbox's first process.</summary>
    internal ulong CloneFlags { get; set; }

    /// <summary>What the child carries across the exec of the stage when it is born in a new user namespace.</summary>
    internal ulong CarriedCapabilities { get; set; }

    /// <summary>personality(2) of the stage.</summary>
    internal uint StagePersonality { get; set; } = Kernel.SamePersonality;

    /// <summary>The child is a monitor, and the sandbox's first process its child.</summary>
    internal bool HasMonitor { get; set; }

    /// <summary>The sandbox's first process is made by the child.</summary>
    internal bool Forks => HasMonitor || HasForwarder;

    /// <summary>The child makes the sandbox's first process, which is the host's child as well, and ends.</summary>
    internal bool HasForwarder { get; set; }

    /// <summary>The step that maps the guard's table, when that is where the forwarder's child is noted; or -1. The fork is the one that uses it.</summary>
    internal int TableStep { get; set; } = -1;

    /// <summary>The register that holds what number the first process has for itself, or null where that is known before.</summary>
    internal byte? InnerProcessId { get; set; }

    /// <summary>A stage stays alive as supervisor (monitor or init) and writes the exit report into the arena.</summary>
    internal bool IsSupervised { get; set; }

    /// <summary>
    /// The registers that hold what <see cref="FilesystemOptions.Mounts"/> brings, by their order, between the step that
    /// takes it from the host's tree and the step that puts it in place.
    /// </summary>
    internal byte[] Sources { get; } = new byte[MountPlanner.MaxMounts];

    /// <summary>The register that holds the sandbox's procfs until it is put in place.</summary>
    internal byte ProcRegister { get; set; }

    /// <summary>What <see cref="TerminalPlanner"/> keeps between its steps.</summary>
    internal TerminalRegisters Terminal { get; set; }

    /// <summary>Null where the kernel can restrict mounts in one call.</summary>
    internal Restrictions? Restrictions { get; set; }

    /// <summary>What Landlock is to enforce, or null.</summary>
    internal LandlockReport? Landlock { get; set; }

    /// <summary>What the steps enforce.</summary>
    internal ref EnforcementRecord Enforced => ref _enforced;

    /// <summary>The first of the steps that put the tree together, masks among them.</summary>
    internal int FirstPlacement { get; set; }

    /// <summary>The last step that tries to leave the host's session keyring, or -1.</summary>
    internal int KeyringStep { get; set; } = -1;

    /// <summary>Set when the program is looked up: which steps are its candidates and what was found there.</summary>
    internal ExecutionSteps Execution { get; set; }

    internal Span<Step> Steps => MemoryMarshal.AsMemory(_steps.WrittenMemory).Span;

    internal ReadOnlySpan<byte> Data => _data.WrittenSpan;

    /// <summary>What the stage asks the host on its way, in this order.</summary>
    internal List<HostQuestion> Questions { get; } = [];

    /// <summary>The number, among them, of the question that lets the program go when it is answered; 0 when nothing is waited for.</summary>
    internal int Suspension { get; set; }

    /// <summary>Where the status pipe is by now.</summary>
    internal Argument Status { get; set; } = Argument.Handle(PlanHandle.Status);

    /// <summary>The environment's HOME=…, where the host finds out what it is while the stage waits.</summary>
    internal Argument? Home { get; set; }

    /// <summary>What the program's environment is, or null for that of most.</summary>
    internal SortedDictionary<string, string>? ProgramEnvironment { get; set; }

    /// <summary>Who the named user is, which the host finds out while the stage waits.</summary>
    internal LookedUpUser? LookedUp { get; set; }

    internal bool HasHostSteps { get; private set; }

    internal void Clear()
    {
        _steps.Clear();
        _data.Clear();
        _nextRegister = 0;
        CloneFlags = CarriedCapabilities = 0;
        StagePersonality = Kernel.SamePersonality;
        HasMonitor = HasForwarder = IsSupervised = HasHostSteps = false;
        TableStep = -1;
        InnerProcessId = null;
        Questions.Clear();
        Suspension = 0;
        Status = Argument.Handle(PlanHandle.Status);
        Home = null;
        ProgramEnvironment = null;
        LookedUp = null;
        Execution = default;
        Restrictions = null;
        Landlock = null;
        KeyringStep = -1;
        FirstPlacement = 0;
        _enforced = default;
        Terminal = new TerminalRegisters(StageFormat.NoRegister, StageFormat.NoRegister);
    }

    internal byte NewRegister() =>
        _nextRegister < Scratch ? _nextRegister++ : throw new InvalidOperationException("The plan needs more registers than the stage has.");

    /// <summary>A NUL-terminated UTF-8 string.</summary>
    internal Argument Text(string value)
    {
        var offset = _data.WrittenCount;
        var span = _data.GetSpan(Encoding.UTF8.GetMaxByteCount(value.Length) + 1);
        var length = Encoding.UTF8.GetBytes(value, span);
        span[length] = 0;
        _data.Advance(length + 1);
        return new Argument(ArgumentKind.Text, (ulong)offset);
    }

    /// <summary>Bytes, aligned to eight.</summary>
    internal Argument Bytes(ReadOnlySpan<byte> value)
    {
        var offset = Align();
        value.CopyTo(_data.GetSpan(value.Length + 1));
        _data.Advance(value.Length);
        return new Argument(ArgumentKind.Bytes, (ulong)offset);
    }

    /// <summary>A kernel structure.</summary>
    internal Argument Struct<T>(in T value) where T : unmanaged => Bytes(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    /// <summary>Zeroed room for a result.</summary>
    internal Argument Buffer(int size)
    {
        var offset = Align();
        _data.GetSpan(size)[..size].Clear();
        _data.Advance(size);
        return new Argument(ArgumentKind.Bytes, (ulong)offset);
    }

    /// <summary>A NULL-terminated table of pointers to strings that are in the data already.</summary>
    internal Argument Table(ReadOnlySpan<Argument> strings)
    {
        var offset = Align();
        var table = MemoryMarshal.Cast<byte, ulong>(_data.GetSpan((strings.Length + 1) * 8));
        for (var i = 0; i < strings.Length; i++) table[i] = StageFormat.DataPointer((int)strings[i].Value);
        table[strings.Length] = 0;
        _data.Advance((strings.Length + 1) * 8);
        return new Argument(ArgumentKind.Strings, (ulong)offset);
    }

    internal void Add(Step step)
    {
        _steps.GetSpan(1)[0] = step;
        _steps.Advance(1);
        HasHostSteps |= step.Kind is StepKind.HostWrite or StepKind.HostRun or StepKind.AwaitHost;
    }

    /// <summary>The stage stops here until the host has answered.</summary>
    internal void Ask(string label, string? path, HostQuestion question)
    {
        Questions.Add(question);
        Add(Make(StepKind.AskHost, 0, label, path, Questions.Count, Status));
    }

    /// <summary>The steps from this one on, up to the one that is added next, are passed over when the step before them succeeds.</summary>
    internal void DoneSkipsFrom(int first) => Steps[first - 1].SkipDone = checked((byte)(Steps.Length - first));

    /// <summary>The steps from this one on, up to the one that is added next, are passed over when the step before them fails as it may.</summary>
    internal void SkipsFrom(int first) => Steps[first - 1].Skip = checked((ushort)(Steps.Length - first));

    internal static Step Syscall(Sys call, string label, string? path, params ReadOnlySpan<Argument> arguments) =>
        Make(StepKind.Syscall, call, label, path, arguments);

    /// <summary>Fails with <paramref name="errno"/> unless (the <paramref name="size"/> bytes at data + offset) &amp; mask == expected.</summary>
    internal static Step Check(string label, string? path, Argument buffer, int offset, int size, ulong mask, ulong expected, Errno errno) =>
        Make(StepKind.Check, 0, label, path, [new Argument(ArgumentKind.Bytes, buffer.Value + (uint)offset), size, mask, expected, (int)errno]);

    /// <summary>Fails with <paramref name="errno"/> unless a register has this value.</summary>
    internal static Step CheckRegister(string label, string? path, byte register, ulong expected, Errno errno) =>
        Make(StepKind.Check, 0, label, path, [StageFormat.RegisterPointer(register), 8, ulong.MaxValue, expected, (int)errno]);

    /// <summary>Fails with <paramref name="errno"/>: tolerated, an unconditional way round the steps that follow.</summary>
    internal static Step Fail(string label, string? path, Errno errno) =>
        Make(StepKind.Check, 0, label, path, [new Argument(ArgumentKind.Bytes, 0), 1, 0, 1, (int)errno]);

    /// <summary>Puts a value into eight bytes of the plan's data.</summary>
    internal static Step Store(string label, Argument buffer, Argument value) => Make(StepKind.Store, 0, label, null, buffer, value);

    internal static Step Make(StepKind kind, Sys call, string label, string? path, params ReadOnlySpan<Argument> arguments)
    {
        var step = new Step { Kind = kind, Call = call, Label = label, Path = path, Out = StageFormat.NoRegister, RepeatArgument = StageFormat.NoRegister };
        for (var i = 0; i < arguments.Length; i++)
        {
            step.Values[i] = arguments[i].Value;
            step.Kinds[i] = arguments[i].Kind;
        }

        return step;
    }

    private int Align()
    {
        var padding = -_data.WrittenCount & 7;
        _data.GetSpan(8)[..padding].Clear();
        _data.Advance(padding);
        return _data.WrittenCount;
    }

    /// <summary>The plan, one step a line, in the manner of strace.</summary>
    public override string ToString() => PlanPrinter.Print(this);
}
