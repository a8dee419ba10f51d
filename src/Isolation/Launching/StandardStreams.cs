using System.Runtime.InteropServices;
using Isolation.Interop;
using Isolation.Planning;
using Isolation.Supervision;

namespace Isolation.Launching;

/// <summary>Opens the descriptors behind a start's standard streams and inherited handles, and closes what is not the program's.</summary>
internal struct StandardStreams
{
    private static readonly Retried<int> s_null = new(OpenNull);

    /// <summary>The host's ends of pipes, or null.</summary>
    internal PipeWriteStream? Input;
    internal PipeReadStream? Output, Error;

    /// <summary>The host's side of the terminal, once it has been taken over, or null.</summary>
    internal Terminal? Terminal;

    private int _inputEnd, _outputEnd, _errorEnd; // the program's ends of pipes, +1
    private List<SafeHandle>? _held;
    private TerminalChannel _terminal;

    /// <summary>What the planner must know, without opening anything.</summary>
    internal static DescriptorWiring Wiring(IsolationOptions options, bool capture)
    {
        var (inPlace, onTerminal) = (0, 0);
        for (var n = 0; n < 3; n++)
        {
            var stream = Stream(options, n);
            if (stream.Kind != StandardStreamKind.Inherit || capture && n > 0) continue;
            if (options.Terminal is not null) onTerminal |= 1 << n;
            else if (IsInherited(n)) inPlace |= 1 << n;
        }

        int[] numbers = [];
        if (options.InheritedHandles.Count > 0)
        {
            numbers = [.. options.InheritedHandles.Keys];
            Array.Sort(numbers);
        }

        return new DescriptorWiring(inPlace, numbers, options.StandardInput.SourceHandle is not null || options.StandardOutput.SourceHandle is not null ||
            options.StandardError.SourceHandle is not null, OnTerminal: onTerminal);
    }

    /// <summary>Fills in the descriptor numbers of a plan's handles. On failure everything opened here is closed again by <see cref="Abandon"/>.</summary>
    internal void Open(IsolationOptions options, bool capture, in DescriptorWiring wiring, Span<int> handles)
    {
        for (var n = 0; n < 3; n++)
        {
            if ((wiring.OnTerminal >> n & 1) != 0) continue;
            var stream = Stream(options, n);
            var kind = capture && n > 0 && stream.Kind == StandardStreamKind.Inherit ? StandardStreamKind.Pipe : stream.Kind;
            handles[PlanHandle.StandardInput + n] = (wiring.InPlace >> n & 1) != 0 ? n : kind switch
            {
                StandardStreamKind.Pipe => OpenPipe(n),
                StandardStreamKind.Handle => Hold(stream.SourceHandle!),
                _ => s_null.Value,
            };
        }

        for (var i = 0; i < wiring.InheritedNumbers.Length; i++)
            handles[PlanHandle.FirstInherited + i] = Hold(options.InheritedHandles[wiring.InheritedNumbers[i]]);
        if (options.Terminal is not null) handles[PlanHandle.Terminal] = _terminal.Open();
    }

    /// <summary>After the child has its copies.</summary>
    internal void CloseProgramEnds()
    {
        CloseEnd(ref _inputEnd);
        CloseEnd(ref _outputEnd);
        CloseEnd(ref _errorEnd);
        _terminal.CloseTheirs();
        if (_held is null) return;
        foreach (var handle in _held) handle.DangerousRelease();
        _held = null;
    }

    /// <summary>The start failed.</summary>
    internal void Abandon()
    {
        CloseProgramEnds();
        Input?.Dispose();
        Output?.Dispose();
        Error?.Dispose();
        Terminal?.Dispose();
        _terminal.Close();
    }

    /// <summary>What the stage has sent, if there is a terminal.</summary>
    internal void TakeTerminal() => Terminal ??= _terminal.Take();

    private static StandardStream Stream(IsolationOptions options, int number) =>
        number switch { 0 => options.StandardInput, 1 => options.StandardOutput, _ => options.StandardError };

    private int OpenPipe(int number)
    {
        Span<int> ends = stackalloc int[2];
        var result = Kernel.pipe2(ends, Linux.O_CLOEXEC);
        if (result < 0) throw LaunchFailure.Host("open a pipe for a standard stream", "pipe2", -result);
        result = Kernel.AboveStandard(ends);
        if (result < 0) throw LaunchFailure.Host("move a pipe for a standard stream", "fcntl", -result);
        var (ours, theirs) = number == 0 ? (ends[1], ends[0]) : (ends[0], ends[1]);
        // Only our end: the flag belongs to the open file, and the program's end is another one.
        _ = Kernel.fcntl(ours, Linux.F_SETFL, Linux.O_NONBLOCK);
        switch (number)
        {
            case 0:
                Input = new PipeWriteStream(ours);
                _inputEnd = theirs + 1;
                break;
            case 1:
                Output = new PipeReadStream(ours);
                _outputEnd = theirs + 1;
                break;
            default:
                Error = new PipeReadStream(ours);
                _errorEnd = theirs + 1;
                break;
        }

        return theirs;
    }

    private int Hold(SafeHandle handle)
    {
        var added = false;
        handle.DangerousAddRef(ref added);
        (_held ??= []).Add(handle);
        return (int)handle.DangerousGetHandle();
    }

    private static void CloseEnd(ref int end)
    {
        if (end > 0) _ = Kernel.close(end - 1);
        end = 0;
    }

    /// <summary>
    /// A descriptor that came to us through exec cannot be close-on-exec. One that is, is something this process opened
    /// itself when the number was free, and not to be given away.
    /// </summary>
    private static bool IsInherited(int number) => Kernel.fcntl(number, Linux.F_GETFD) == 0;

    private static int OpenNull()
    {
        var fd = Kernel.AboveStandard(Kernel.open("/dev/null", Linux.O_RDWR));
        if (fd < 0) throw LaunchFailure.Host("open the null device", "openat", -fd, "/dev/null");
        if (Kernel.IsNullDevice(fd)) return LowDescriptors.Move(fd);
        _ = Kernel.close(fd);
        throw LaunchFailure.Host("open the null device", null, 0, "/dev/null", "It is not the character device 1:3 on this machine");
    }
}
