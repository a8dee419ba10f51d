using System.Globalization;
using System.Text;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>
/// A user namespace for the sake of its map: a child is born in one and waits (the stage, with a program of one step) until the host has written
/// the map and opened the namespace.
/// </summary>
internal static unsafe class UserNamespaceMaker
{
    /// <returns>A descriptor of it.</returns>
    internal static int Make(IdMapping users, IdMapping groups)
    {
        const string step = "make a user namespace for mapped ids";
        var arena = ArenaPool.Rent();
        var slot = -1;
        try
        {
            Span<int> handles = stackalloc int[PlanHandle.FirstInherited];
            handles.Fill(-1);
            arena.Plan.Clear();
            arena.Plan.Add(LaunchPlan.Make(StepKind.AwaitHost, 0, "wait for the host", null));
            arena.Encode(handles);
            slot = ParentExitGuard.Rent(killGroup: false);
            var pid = Launcher.Spawn(arena, Linux.CLONE_NEWUSER, handles, ParentExitGuard.Address(slot), out var pidfd);
            ParentExitGuard.Complete(slot);
            try
            {
                Write(pid, "uid_map", users);
                Write(pid, "gid_map", groups);
                var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/user");
                var fd = Kernel.AboveStandard(Kernel.open(path, Linux.O_RDONLY));
                return fd >= 0 ? fd : throw LaunchFailure.Host(step, "openat", -fd, path);
            }
            finally
            {
                _ = Kernel.pidfd_send_signal(pidfd, Linux.SIGKILL);
                Span<pollfd> wait = [new pollfd { fd = pidfd, events = Linux.POLLIN }];
                _ = Kernel.poll(wait, null);
                ParentExitGuard.Return(slot);
                slot = -1;
                _ = Kernel.waitid(Linux.P_PIDFD, pidfd, null, Linux.WEXITED | Linux.__WALL, null);
                _ = Kernel.close(pidfd);
            }
        }
        finally
        {
            if (slot >= 0) ParentExitGuard.Return(slot);
            ArenaPool.Return(arena);
        }

        static void Write(int pid, string file, IdMapping mapping)
        {
            var content = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{mapping.HostId} {mapping.ShownId} {mapping.Count}\n"));
            var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{file}");
            var fd = Kernel.open(path, Linux.O_WRONLY);
            if (fd < 0) throw LaunchFailure.Host(step, "openat", -fd, path);
            var written = Kernel.write(fd, content);
            _ = Kernel.close(fd);
            if (written != content.Length) throw LaunchFailure.Host(step, "write", (int)-written, path, FailureHints.ForUserMap((int)-written));
        }
    }
}
