using System.Globalization;
using System.Text;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>
/// A small program of the host that a start needs: newuidmap(1), newgidmap(1). Without a shell, with a clean environment, no descriptor
/// but the standard ones, and nothing taken from it: its set-user-ID bit counts. It takes no thread: whoever starts waits.
/// </summary>
internal sealed unsafe class HostProgram : IDisposable
{
    private const int MaxOutput = 2048;

    private readonly string _label, _name;
    private readonly IsolationOptions _options;
    private readonly LaunchArena _arena;
    private readonly byte[] _output = new byte[MaxOutput];
    private int _length;
    private int _pidfd = -1, _read = -1, _slot = -1;

    private HostProgram(string label, string name, IEnumerable<string> arguments)
    {
        (_label, _name) = (label, name);
        _options = new IsolationOptions(name, arguments) { Environment = { ["PATH"] = SearchPath() } };
        _arena = ArenaPool.Rent();
    }

    internal static HostProgram Start(string label, string name, IEnumerable<string> arguments, bool killOnParentExit)
    {
        var program = new HostProgram(label, name, arguments);
        try
        {
            program.Start(killOnParentExit);
            return program;
        }
        catch
        {
            program.Dispose();
            throw;
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <param name="deadline">In milliseconds of <see cref="Environment.TickCount64"/>.</param>
    /// <param name="code">Its exit code, 128 + n after the signal n, or -1 when somebody else has reaped it and nobody knows.</param>
    /// <returns>False when the time is up.</returns>
    internal bool Wait(long deadline, out int code)
    {
        code = -1;
        Span<pollfd> waits = stackalloc pollfd[2];
        while (true)
        {
            var left = deadline - Environment.TickCount64;
            if (left <= 0) return false;
            waits[0] = new pollfd { fd = _pidfd, events = Linux.POLLIN };
            waits[1] = new pollfd { fd = _read, events = Linux.POLLIN };
            var result = Kernel.poll(_read >= 0 ? waits : waits[..1], TimeSpan.FromMilliseconds(Math.Min(left, int.MaxValue)));
            if (result < 0) throw LaunchFailure.Host(_label, "ppoll", -result, _name);
            // What a child of the program holds open after it has ended is not waited for.
            if (_read >= 0 && waits[1].revents != 0) Read();
            if (waits[0].revents == 0) continue;
            if (_read >= 0) Read();
            break;
        }

        siginfo info = default;
        ReturnSlot();
        var reaped = Kernel.waitid(Linux.P_PIDFD, _pidfd, &info, Linux.WEXITED | Linux.__WALL, null);
        if (reaped == 0) code = info.si_code == Linux.CLD_EXITED ? info.si_status : 128 + info.si_status;
        else if (Kernel.TryGetExitStatus(_pidfd, out var status)) code = (status & 0x7f) == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f);
        _ = Kernel.close(_pidfd);
        _pidfd = -1;
        if (_arena.SpawnError < 0 || _arena.Header.Failed >= 0) throw LaunchFailure.OfStage(_arena, _options);
        return true;
    }

    /// <summary>What it has said, on one line.</summary>
    internal string Output => Encoding.UTF8.GetString(_output, 0, _length).Trim().ReplaceLineEndings("; ");

    /// <summary>Ends it if it still runs.</summary>
    public void Dispose()
    {
        if (_pidfd >= 0)
        {
            // Possible for a set-user-ID program as well: its real user is ours. kill(2).
            _ = Kernel.pidfd_send_signal(_pidfd, Linux.SIGKILL);
            Span<pollfd> wait = [new pollfd { fd = _pidfd, events = Linux.POLLIN }];
            _ = Kernel.poll(wait, null);
            ReturnSlot();
            _ = Kernel.waitid(Linux.P_PIDFD, _pidfd, null, Linux.WEXITED | Linux.__WALL, null);
            _ = Kernel.close(_pidfd);
            _pidfd = -1;
        }

        ReturnSlot();
        CloseRead();
        ArenaPool.Return(_arena);
    }

    private void Start(bool killOnParentExit)
    {
        Span<int> ends = stackalloc int[2];
        LaunchPipe.Open(ends);
        _read = ends[0];
        try
        {
            _ = Kernel.fcntl(_read, Linux.F_SETFL, Linux.O_NONBLOCK);
            Span<int> handles = stackalloc int[PlanHandle.FirstInherited];
            handles.Fill(-1);
            handles[PlanHandle.StandardOutput] = ends[1];
            Plan();
            _arena.Encode(handles);
            if (killOnParentExit) _slot = ParentExitGuard.Rent(killGroup: false);
            _ = Launcher.Spawn(_arena, 0, handles, _slot >= 0 ? ParentExitGuard.Address(_slot) : null, out _pidfd);
            if (_slot >= 0) ParentExitGuard.Complete(_slot);
        }
        finally
        {
            _ = Kernel.close(ends[1]);
        }
    }

    private void Plan()
    {
        var plan = _arena.Plan;
        plan.Clear();
        plan.Add(LaunchPlan.Syscall(Sys.setsid, "start a session", null));
        plan.Add(LaunchPlan.Syscall(Sys.chdir, "leave the host's working directory", "/", plan.Text("/")));
        var none = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.openat, "open the null device", "/dev/null", Linux.AT_FDCWD, plan.Text("/dev/null"), Linux.O_RDONLY | Linux.O_CLOEXEC).To(none));
        plan.Add(LaunchPlan.Syscall(Sys.fcntl, "move it out of the way", null, Argument.Register(none), Linux.F_DUPFD_CLOEXEC, 3).To(none));
        plan.Add(LaunchPlan.Syscall(Sys.dup3, "put a descriptor in place", "standard input", Argument.Register(none), 0, 0));
        plan.Add(LaunchPlan.Syscall(Sys.dup3, "put a descriptor in place", "standard output", Argument.Handle(PlanHandle.StandardOutput), 1, 0));
        plan.Add(LaunchPlan.Syscall(Sys.dup3, "put a descriptor in place", "standard error", Argument.Handle(PlanHandle.StandardOutput), 2, 0));
        plan.Add(LaunchPlan.Syscall(Sys.close, "close the host's number of a handle", null, Argument.Handle(PlanHandle.StandardOutput)));
        SupervisionPlanner.ResetSignals(plan, Host.Facts(_options));
        ExecutionPlanner.Execute(plan, _options);
    }

    /// <summary>The absolute folders of this process's PATH, as some distributions have their set-user-ID programs in places of their own.</summary>
    private static string SearchPath()
    {
        var path = string.Join(':', (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(static folder => folder.StartsWith('/')));
        return path.Length > 0 ? path : ExecutionPlanner.DefaultPath;
    }

    private void Read()
    {
        Span<byte> rest = stackalloc byte[512];
        while (true)
        {
            var read = (int)Kernel.read(_read, _length < MaxOutput ? _output.AsSpan(_length) : rest);
            if (read == -(int)Errno.EINTR) continue;
            if (read == -(int)Errno.EAGAIN) return;
            if (read <= 0)
            {
                CloseRead();
                return;
            }

            if (_length < MaxOutput) _length += read;
        }
    }

    private void CloseRead()
    {
        if (_read >= 0) _ = Kernel.close(_read);
        _read = -1;
    }

    private void ReturnSlot()
    {
        if (_slot >= 0) ParentExitGuard.Return(_slot);
        _slot = -1;
    }
}
