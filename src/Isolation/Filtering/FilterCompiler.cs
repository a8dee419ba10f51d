using Isolation.Interop;

namespace Isolation.Filtering;

/// <summary>
/// Turns a profile into a program of classic BPF: a look at the architecture, a balanced tree over ranges of syscall numbers
/// with the same outcome, and at its leaves the comparisons of arguments. Up to a leaf it has instructions only that the
/// kernel can follow by itself (seccomp_is_const_allow in kernel/seccomp.c, Linux 5.11): calls that are always allowed are
/// then in a bitmap, and the program is not run for them.
/// </summary>
internal sealed class FilterCompiler
{
    private const int NumberOffset = 0, ArchitectureOffset = 4, ArgumentsOffset = 16; // struct seccomp_data, little-endian
    private const uint X32Bit = 0x40000000;
    private const uint NoNumber = uint.MaxValue; // syscall(-1): has the bit, and is no call of x32

    private readonly SeccompProfile _profile;
    private readonly SeccompRule[] _rules;
    private readonly BpfEmitter _code = new();

    private readonly record struct Segment(uint First, Outcome Outcome);

    private FilterCompiler(SeccompProfile profile, ulong capabilities)
    {
        _profile = profile;
        _rules = [.. profile.Rules.Where(rule => rule.IsFor(capabilities))];
    }

    /// <exception cref="ArgumentException">The program would be longer than the kernel takes.</exception>
    internal static CompiledFilter Compile(SeccompProfile profile, SeccompArchitecture native, ulong capabilities) =>
        new FilterCompiler(profile, capabilities).Compile(native);

    /// <summary>The architectures that programs of a machine may use besides its own.</summary>
    internal static ReadOnlySpan<SeccompArchitecture> Foreign(SeccompArchitecture native) =>
        native == SeccompArchitecture.X64 ? [SeccompArchitecture.X86, SeccompArchitecture.X32] : [SeccompArchitecture.Arm];

    private CompiledFilter Compile(SeccompArchitecture native)
    {
        var foreign = _code.Return(_profile.ForeignAction.Result);
        var start = foreign;
        foreach (var architecture in (ReadOnlySpan<SeccompArchitecture>)[SeccompArchitecture.X86, SeccompArchitecture.Arm])
        {
            if (!Foreign(native).Contains(architecture) || !_profile.Architectures.Contains(architecture)) continue;
            var section = _code.Load(NumberOffset, Tree(architecture));
            start = _code.Jump(Linux.BPF_JEQ, Token(architecture), section, start);
        }

        var outcomes = Outcomes(native);
        var own = Tree(native, outcomes);
        if (native == SeccompArchitecture.X64)
        {
            var x32 = _profile.Architectures.Contains(SeccompArchitecture.X32) ? Tree(SeccompArchitecture.X32) : foreign;
            x32 = _code.Jump(Linux.BPF_JEQ, NoNumber, _code.Return(Unknown.Result), x32);
            own = _code.Jump(Linux.BPF_JSET, X32Bit, x32, own);
        }

        start = _code.Jump(Linux.BPF_JEQ, Token(native), _code.Load(NumberOffset, own), start);
        _code.Load(ArchitectureOffset, start);
        if (_code.Count > Linux.BPF_MAXINSNS)
        {
            throw new ArgumentException(
                $"The seccomp profile makes a filter of {_code.Count} instructions, of which the kernel takes {Linux.BPF_MAXINSNS}: it has too many conditions.");
        }

        return new CompiledFilter(native, _code.ToArray())
        {
            MayExecute = Actions("execve").Any(static action => action.MayRun),
            MayExit = Actions("exit_group").All(static action => action.MayRun || action.Kind is SeccompActionKind.KillProcess or SeccompActionKind.KillThread),
            MayLook = MayRun("openat", "read", "faccessat2"),
            MayWait = MayRun("futex", "write"),
            RefusesKeyrings = !_profile.ForeignAction.MayRun && RefusesKeyrings(outcomes, native)
                && Foreign(native).ToArray().All(architecture => !_profile.Architectures.Contains(architecture) || RefusesKeyrings(Outcomes(architecture), architecture)),
            Notifies = _rules.Select(static rule => rule.Action).Append(_profile.DefaultAction).Append(Unknown).Append(_profile.ForeignAction)
                .Contains(SeccompAction.Notify),
        };

        bool MayRun(params string[] names) => names.SelectMany(Actions).All(static action => action.Kind is SeccompActionKind.Allow or SeccompActionKind.Log);

        IEnumerable<SeccompAction> Actions(string name) => Possible(outcomes[SyscallNames.Number(name, native)]);
    }

    private IEnumerable<SeccompAction> Possible(Outcome outcome) => outcome.Rules.Select(rule => _rules[rule].Action).Append(outcome.Otherwise);

    private bool RefusesKeyrings(Dictionary<int, Outcome> outcomes, SeccompArchitecture architecture) =>
        ((string[])["keyctl", "add_key", "request_key"]).All(name => !outcomes.TryGetValue(SyscallNames.Number(name, architecture), out var outcome)
            || Possible(outcome).All(static action => !action.MayRun));

    private SeccompAction Unknown => _profile.UnknownAction ?? _profile.DefaultAction;

    internal static uint Token(SeccompArchitecture architecture) => architecture switch
    {
        SeccompArchitecture.X86 => Linux.AUDIT_ARCH_I386,
        SeccompArchitecture.Arm64 => Linux.AUDIT_ARCH_AARCH64,
        SeccompArchitecture.Arm => Linux.AUDIT_ARCH_ARM,
        _ => Linux.AUDIT_ARCH_X86_64,
    };

    /// <summary>What happens to every number that is a call's.</summary>
    private Dictionary<int, Outcome> Outcomes(SeccompArchitecture architecture)
    {
        var rules = new Dictionary<int, List<int>>();
        var final = new Dictionary<int, SeccompAction>();
        for (var i = 0; i < _rules.Length; i++)
        {
            foreach (var name in _rules[i].Syscalls)
            {
                var number = SyscallNames.Number(name, architecture);
                if (number < 0 || final.ContainsKey(number)) continue;
                if (_rules[i].Conditions.Count == 0)
                {
                    final.Add(number, _rules[i].Action);
                }
                else
                {
                    if (!rules.TryGetValue(number, out var list)) rules.Add(number, list = []);
                    if (list.Count == 0 || list[^1] != i) list.Add(i);
                }
            }
        }

        var shared = new Dictionary<SeccompAction, Outcome>();
        return SyscallNames.Numbers(architecture).ToDictionary(static number => number, number =>
        {
            var otherwise = final.TryGetValue(number, out var action) ? action : _profile.DefaultAction;
            if (!rules.TryGetValue(number, out var list) || list.TrueForAll(rule => _rules[rule].Action == otherwise)) return Constant(shared, otherwise);
            return new Outcome([.. list], otherwise);
        });
    }

    private static Outcome Constant(Dictionary<SeccompAction, Outcome> shared, SeccompAction action)
    {
        if (!shared.TryGetValue(action, out var outcome)) shared.Add(action, outcome = new Outcome([], action));
        return outcome;
    }

    private int Tree(SeccompArchitecture architecture) => Tree(architecture, Outcomes(architecture));

    private int Tree(SeccompArchitecture architecture, Dictionary<int, Outcome> outcomes)
    {
        var bit = architecture == SeccompArchitecture.X32 ? X32Bit : 0;
        var unknown = new Outcome([], Unknown);
        List<Segment> segments = [new(bit, unknown)];
        var next = bit;
        foreach (var (number, outcome) in outcomes.OrderBy(static entry => entry.Key))
        {
            var first = (uint)number | bit;
            if (first > next) Append(segments, next, unknown);
            Append(segments, first, outcome);
            next = first + 1;
        }

        Append(segments, next, unknown);
        return Tree([.. segments], [], []);
    }

    private static void Append(List<Segment> segments, uint first, Outcome outcome)
    {
        if (segments[^1].First == first) segments.RemoveAt(segments.Count - 1); // only the very first, when 0 is a call's
        if (segments.Count == 0 || segments[^1].Outcome != outcome) segments.Add(new Segment(first, outcome));
    }

    private int Tree(ReadOnlySpan<Segment> segments, Dictionary<Outcome, int> leaves, Dictionary<(uint, uint), (int Cost, int Middle)> splits)
    {
        if (IsRunWithExceptions(segments))
        {
            foreach (var segment in segments) Leaf(segment.Outcome, leaves);
            var position = Leaf(segments[0].Outcome, leaves);
            for (var i = segments.Length - 2; i > 0; i -= 2) position = _code.Jump(Linux.BPF_JEQ, segments[i].First, Leaf(segments[i].Outcome, leaves), position);
            return position;
        }

        var middle = Split(segments, splits).Middle;
        var right = Tree(segments[middle..], leaves, splits);
        var left = Tree(segments[..middle], leaves, splits);
        return _code.Jump(Linux.BPF_JGE, segments[middle].First, right, left);
    }

    /// <summary>
    /// Where a range is cut in two, near its middle, so that few instructions are needed: the kernel takes half a microsecond
    /// for each when a filter is installed. A number between others of one outcome takes one comparison if it is not cut off, and two if it is.
    /// </summary>
    private static (int Cost, int Middle) Split(ReadOnlySpan<Segment> segments, Dictionary<(uint, uint), (int Cost, int Middle)> splits)
    {
        if (IsRunWithExceptions(segments)) return (segments.Length / 2, 0);
        var key = (segments[0].First, segments[^1].First);
        if (splits.TryGetValue(key, out var best)) return best;
        best = (int.MaxValue, 0);
        for (var middle = Math.Max(1, segments.Length / 2 - 2); middle <= Math.Min(segments.Length - 1, segments.Length / 2 + 2); middle++)
        {
            var cost = 1 + Split(segments[..middle], splits).Cost + Split(segments[middle..], splits).Cost;
            if (cost < best.Cost) best = (cost, middle);
        }

        return splits[key] = best;
    }

    /// <summary>One outcome, and other ones for two numbers at most.</summary>
    private static bool IsRunWithExceptions(ReadOnlySpan<Segment> segments)
    {
        if (segments.Length is not (1 or 3 or 5)) return false;
        for (var i = 1; i < segments.Length; i += 2)
            if (segments[i + 1].First - segments[i].First != 1 || segments[i + 1].Outcome != segments[0].Outcome) return false;
        return true;
    }

    private int Leaf(Outcome outcome, Dictionary<Outcome, int> leaves)
    {
        if (outcome.Rules.Length == 0) return _code.Return(outcome.Otherwise.Result);
        if (leaves.TryGetValue(outcome, out var position)) return position;
        position = _code.Return(outcome.Otherwise.Result);
        foreach (var rule in outcome.Rules.Reverse())
        {
            var fits = _code.Return(_rules[rule].Action.Result);
            foreach (var condition in _rules[rule].Conditions.Reverse()) fits = Compare(condition, fits, position);
            position = fits;
        }

        return leaves[outcome] = position;
    }

    private int Compare(SeccompCondition condition, int yes, int no) => condition.Operator switch
    {
        SeccompOperator.Equal => Same(condition, yes, no),
        SeccompOperator.NotEqual => Same(condition, no, yes),
        SeccompOperator.Greater => Greater(condition, Linux.BPF_JGT, yes, no),
        SeccompOperator.GreaterOrEqual => Greater(condition, Linux.BPF_JGE, yes, no),
        SeccompOperator.Less => Greater(condition, Linux.BPF_JGE, no, yes),
        _ => Greater(condition, Linux.BPF_JGT, no, yes),
    };

    // A filter has words of 32 bits: the high half decides, and where it is the same the low half.

    private int Same(SeccompCondition condition, int yes, int no)
    {
        var (value, mask) = (condition.Value, condition.Mask);
        if ((value & ~mask) != 0) return no;
        var low = Half(Offset(condition.Argument, high: false), (uint)mask, (uint)value, yes, no);
        return Half(Offset(condition.Argument, high: true), (uint)(mask >> 32), (uint)(value >> 32), low, no);
    }

    private int Half(int offset, uint mask, uint value, int yes, int no)
    {
        if (mask == 0 || yes == no) return yes;
        // Of the same word as the comparison before it, often: it need not be loaded again, unless bits of it are gone.
        if (mask == uint.MaxValue || value == 0) (yes, no) = (_code.Behind(yes, offset), _code.Behind(no, offset));
        if (value == 0 && mask != uint.MaxValue) return _code.Load(offset, _code.Jump(Linux.BPF_JSET, mask, no, yes));
        return _code.Load(offset, _code.Jump(Linux.BPF_JEQ, value, yes, no), mask);
    }

    private int Greater(SeccompCondition condition, ushort comparison, int yes, int no)
    {
        var (value, mask) = (condition.Value, condition.Mask);
        var (highValue, highMask, lowValue, lowMask) = ((uint)(value >> 32), (uint)(mask >> 32), (uint)value, (uint)mask);
        if (yes == no || (highMask == 0 && highValue != 0)) return no;
        var low = lowMask != 0 ? _code.Load(Offset(condition.Argument, high: false), _code.Jump(comparison, lowValue, yes, no), lowMask)
            : comparison == Linux.BPF_JGE && lowValue == 0 ? yes : no;
        if (highMask == 0) return low;
        var same = _code.Jump(Linux.BPF_JEQ, highValue, low, no);
        return _code.Load(Offset(condition.Argument, high: true), _code.Jump(Linux.BPF_JGT, highValue, yes, same), highMask);
    }

    private static int Offset(int argument, bool high) => ArgumentsOffset + 8 * argument + (high ? 4 : 0);
}
