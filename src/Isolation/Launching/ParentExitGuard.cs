using System.Runtime.CompilerServices;
using Isolation.Interop;
using Isolation.Planning;
using Isolation.Stage;
using Isolation.Supervision;

namespace Isolation.Launching;

/// <summary>
/// KillOnParentExit: one small process beside the host (the stage again, with another program) that sleeps until the host
/// is gone, however it went, and then kills every sandbox listed in a shared table.
/// </summary>
/// <remarks>
/// Why not PR_SET_PDEATHSIG: it fires when the cloning *thread* ends, and the program may clear it. The table costs a start
/// nothing: the kernel writes the pid (CLONE_PARENT_SETTID) before the child runs, so a host killed at any moment leaves
/// no child unlisted; the entry is cleared before the child is reaped, so it never names a stranger while the host lives.
/// </remarks>
internal sealed unsafe class ParentExitGuard : IEventHandler
{
    private const int Capacity = 1 << 16;
    private const ulong TableAddress = 0x2_0000_0000;

    private static readonly Lock s_gate = new();
    private static ListedProcess* s_table;
    private static int s_tableDescriptor = -1;
    private static IndexPool? s_slots;
    private static volatile ParentExitGuard? s_current;

    private readonly LaunchArena _arena; // the guard keeps it mapped
    private readonly int _pidfd;
    private ulong _watch;

    private ParentExitGuard(int pid, int pidfd, LaunchArena arena)
    {
        ProcessId = pid;
        _pidfd = pidfd;
        _arena = arena;
    }

    /// <summary>The guard's pid, or 0 while there is none.</summary>
    internal static int CurrentProcessId => s_current?.ProcessId ?? 0;

    private int ProcessId { get; }

    /// <summary>A free entry of the table, with a guard watching it.</summary>
    /// <param name="killGroup">The sandbox's first process leads a group that must go with it.</param>
    /// <param name="forks">What is listed first makes the sandbox's process and then ends; the kernel notes that one in its place.</param>
    internal static int Rent(bool killGroup, bool forks = false)
    {
        if (s_current is null) Start();
        var slot = s_slots!.Rent();
        if (slot >= 0)
        {
            // Before there is a child: the host may be killed right after the clone.
            s_table[slot].Flags = (killGroup ? (uint)StageFormat.ListedGroup : 0) | (forks ? (uint)StageFormat.ListedForks : 0);
            return slot;
        }

        throw LaunchFailure.Host("list the sandbox for the parent-exit guard", null, 0, null,
            $"{Capacity} sandboxes with KillOnParentExit are alive, which is the most one process may have");
    }

    internal static uint* Address(int slot) => &s_table[slot].Pid;

    /// <summary>The table, for a process that is to note its child there.</summary>
    internal static int TableDescriptor => s_tableDescriptor;

    /// <summary>Where in the table's file an entry is.</summary>
    internal static int Offset(int slot) => slot * sizeof(ListedProcess);

    /// <summary>Who is listed.</summary>
    internal static int Listed(int slot) => (int)Volatile.Read(ref s_table[slot].Pid);

    /// <summary>Completes an entry once the child exists.</summary>
    internal static void Complete(int slot) => Volatile.Write(ref s_table[slot].StartedBefore, Kernel.BootTicks() + 1);

    /// <summary>Before the child is reaped, or after no child was made.</summary>
    internal static void Return(int slot)
    {
        Volatile.Write(ref s_table[slot].Pid, 0);
        s_table[slot].StartedBefore = 0;
        s_slots!.Return(slot);
    }

    public void OnReady(uint events)
    {
        // Somebody has killed the guard; the sandboxes that live need another one at once.
        s_current = null;
        ThreadPool.UnsafeQueueUserWorkItem(static guard =>
        {
            try
            {
                lock (s_gate) guard.Remove();
                Start();
            }
            catch (IsolationException)
            {
                // The next start tries again, and fails with the reason if there still is one.
            }
        }, this, preferLocal: false);
    }

    private static void Start()
    {
        lock (s_gate)
        {
            if (s_current is not null) return;
            if (s_table == null) MakeTable();
            var arena = ArenaPool.Rent();
            ParentExitGuard? guard = null;
            try
            {
                guard = Launch(arena);
                s_current = guard;
                guard._watch = EventLoop.Instance.WatchOnce(guard._pidfd, guard);
            }
            catch
            {
                s_current = null;
                if (guard is null) ArenaPool.Return(arena);
                else guard.Remove();
                throw;
            }
        }
    }

    private static ParentExitGuard Launch(LaunchArena arena)
    {
        Span<int> handles = [-1, -1, -1, -1, HostDescriptor.Value, s_tableDescriptor];
        Span<int> pipe = stackalloc int[2];
        LaunchPipe.Open(pipe);
        int pid, pidfd;
        try
        {
            handles[PlanHandle.Status] = pipe[1];
            Plan(arena.Plan);
            arena.Encode(handles);
            pid = Launcher.Spawn(arena, 0, handles, null, out pidfd);
        }
        catch
        {
            _ = Kernel.close(pipe[0]);
            throw;
        }
        finally
        {
            _ = Kernel.close(pipe[1]);
        }

        Span<byte> end = stackalloc byte[1];
        while (Kernel.read(pipe[0], end) == -(int)Errno.EINTR) { }
        _ = Kernel.close(pipe[0]);
        if (arena.Header.Failed < 0 && arena.SpawnError == 0) return new ParentExitGuard(pid, pidfd, arena);
        _ = Kernel.waitid(Linux.P_PIDFD, pidfd, null, Linux.WEXITED | Linux.__WALL, null);
        _ = Kernel.close(pidfd);
        throw LaunchFailure.OfStage(arena, null);
    }

    /// <summary>Nothing of a guard that is dead, or cannot be used, stays.</summary>
    private void Remove()
    {
        _ = Kernel.pidfd_send_signal(_pidfd, Linux.SIGKILL);
        _ = Kernel.waitid(Linux.P_PIDFD, _pidfd, null, Linux.WEXITED | Linux.__WALL, null);
        if (_watch != 0) EventLoop.Instance.Forget(_watch, _pidfd);
        _ = Kernel.close(_pidfd);
        ArenaPool.Return(_arena);
    }

    private static void Plan(LaunchPlan plan)
    {
        plan.Clear();
        var name = plan.Text("isolation-guard");
        plan.Add(LaunchPlan.Syscall(Sys.setsid, "give the guard a session of its own", null));
        plan.Add(LaunchPlan.Syscall(Sys.prctl, "name the guard", null, Linux.PR_SET_NAME, name));
        plan.Add(LaunchPlan.Syscall(Sys.chdir, "leave the host's working directory", "/", plan.Text("/")));
        plan.Add(LaunchPlan.Syscall(Sys.mmap, "map the guard's table", null, TableAddress, Capacity * sizeof(ListedProcess), Linux.PROT_READ,
            Linux.MAP_SHARED | Linux.MAP_FIXED_NOREPLACE, Argument.Handle(PlanHandle.Table), 0));
        plan.Add(LaunchPlan.Syscall(Sys.close, "close the guard's table", null, Argument.Handle(PlanHandle.Table)));
        plan.Add(LaunchPlan.Syscall(Sys.close, "tell the host that the guard is ready", null, Argument.Handle(PlanHandle.Status)));
        // struct pollfd with the number of the host's pidfd, which is known already
        plan.Add(LaunchPlan.Syscall(Sys.ppoll, "wait for the end of the host", null, plan.Struct(new pollfd { fd = HostDescriptor.Value, events = Linux.POLLIN }), 1, 0, 0, 8));
        plan.Add(LaunchPlan.Make(StepKind.KillListed, 0, "kill the sandboxes of the host", null, TableAddress, Capacity));
        plan.Add(LaunchPlan.Syscall(Sys.exit_group, "end the guard", null, 0));
    }

    private static void MakeTable()
    {
        const int size = Capacity * 16;
        var fd = Kernel.AboveStandard(Kernel.memfd_create("isolation-guard\0"u8, Linux.MFD_CLOEXEC));
        if (fd < 0) throw LaunchFailure.Host("make the guard's table", "memfd_create", -fd);
        var result = Kernel.ftruncate(fd, size);
        var memory = result < 0 ? result : Kernel.mmap(size, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED, fd);
        if (Kernel.IsError(memory))
        {
            _ = Kernel.close(fd);
            throw LaunchFailure.Host("make the guard's table", result < 0 ? "ftruncate" : "mmap", (int)-memory);
        }

        s_tableDescriptor = fd;
        s_slots = new IndexPool(Capacity);
        s_table = (ListedProcess*)memory;
    }
}
