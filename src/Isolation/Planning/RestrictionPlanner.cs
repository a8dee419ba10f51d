using System.Globalization;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>
/// Takes rights away from mounts: read-only, no set-user-ID bits, no devices, no propagation. In one call, mount_setattr(2),
/// where the kernel has it (5.12). Where not, each mount is remounted by itself, with what the host has seen in its mountinfo
/// before, in a plan that waits until the host knows that nothing has been mounted since. mount(2), MS_REMOUNT.
/// </summary>
internal static class RestrictionPlanner
{
    internal const string Find = "find a mount";
    internal const string SameLabel = "check that it is what the host has seen";

    private const ulong Remount = Linux.MS_REMOUNT | Linux.MS_BIND;
    private const ulong Locked = Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC;
    private const string Procfs = "/proc";

    /// <summary>Before anything is taken or restricted.</summary>
    internal static void Begin(LaunchPlan plan)
    {
        if (plan.Restrictions is null) return;
        // No earlier: what other users' folders lead to can be reached only once all users are mapped.
        plan.Add(LaunchPlan.Make(StepKind.AwaitHost, 0, "wait until the host has seen its mounts unchanged", null));
        // Mounts are named as /proc/self/fd/N: no other name of a file is safe from being exchanged. That must be what it says (CVE-2025-52881).
        const byte procfs = LaunchPlan.Scratch;
        var buffer = plan.Buffer(120);
        plan.Add(LaunchPlan.Syscall(Sys.openat, "look at the host's procfs", Procfs, Linux.AT_FDCWD, plan.Text(Procfs), Linux.O_PATH | Linux.O_CLOEXEC).To(procfs));
        plan.Add(LaunchPlan.Syscall(Sys.fstatfs, "look at the host's procfs", Procfs, Argument.Register(procfs), buffer));
        plan.Add(LaunchPlan.Check("check that it is a procfs", Procfs, buffer, 0, 8, ulong.MaxValue, Linux.PROC_SUPER_MAGIC, Errno.ENODEV));
        plan.Add(Close(procfs, Procfs));
    }

    /// <summary>After the last mount: the program gets no descriptor of this.</summary>
    internal static void End(LaunchPlan plan)
    {
        if (plan.Restrictions is not null)
            plan.Add(LaunchPlan.Syscall(Sys.close, "close the descriptor that mounts were named by", null, Argument.Handle(PlanHandle.Mounts)));
    }

    /// <summary>Every mount of the host's tree.</summary>
    internal static void Tree(LaunchPlan plan, string label, in mount_attr attributes)
    {
        if (plan.Restrictions is not { } state)
        {
            plan.Add(SetAttributes(plan, Linux.AT_FDCWD, "/", "/", label, Linux.AT_RECURSIVE, attributes));
            return;
        }

        if (attributes.propagation != 0)
            plan.Add(LaunchPlan.Syscall(Sys.mount, label, "/", plan.Text("none"), plan.Text("/"), 0, Linux.MS_REC | attributes.propagation, 0));
        state.Tree |= attributes.attr_set;
        foreach (var mount in state.Mounts.Reachable) RemountOfTree(plan, state, mount, label, 0);
    }

    /// <summary>
    /// A tree that is attached nowhere, held by a register. Flags are only ever added, so what the host has locked stays locked.
    /// What it has already is told by the host, or by <paramref name="held"/>. In force after <see cref="Finish"/>.
    /// </summary>
    internal static void Restrict(LaunchPlan plan, byte register, string path, string label, bool recursive, in mount_attr attributes, ulong? held = null, bool optional = false)
    {
        if (plan.Restrictions is { } state)
            state.Detached.Add(new DetachedRestriction(register, path, label, recursive, attributes.attr_set, attributes.propagation, held, optional));
        else
            plan.Add(SetAttributes(plan, Argument.Register(register), "", path, label, Linux.AT_EMPTY_PATH | (recursive ? (uint)Linux.AT_RECURSIVE : 0), attributes));
    }

    /// <summary>The trees that had to wait: each is attached to a scratch file system that nobody else sees, restricted there, and taken again.</summary>
    internal static void Finish(LaunchPlan plan)
    {
        if (plan.Restrictions is not { Detached.Count: > 0 } state) return;
        OverlayPlanner.EnterTmpfs(plan, "mount a place to restrict mounts", 64 * 1024);
        for (var i = 0; i < state.Detached.Count; i++)
        {
            var tree = state.Detached[i];
            if (tree.Optional)
            {
                plan.Add(LaunchPlan.CheckRegister("has it been there", tree.Path, tree.Register, expected: 0, Errno.EEXIST).Tolerate(Errno.EEXIST).SkipNext(1));
                plan.Add(LaunchPlan.Fail("pass it over", tree.Path, Errno.ENOENT).Tolerate(Errno.ENOENT));
            }

            var first = plan.Steps.Length;
            RestrictOne(plan, state, tree, string.Create(CultureInfo.InvariantCulture, $"r{i}"));
            if (!tree.Optional) continue;
            plan.Add(LaunchPlan.Syscall(Sys.fcntl, "note that it was there", tree.Path, Argument.Register(tree.Register), Linux.F_DUPFD_CLOEXEC, 3).To(tree.Register));
            plan.SkipsFrom(first);
        }

        state.Detached.Clear();
        OverlayPlanner.LeaveTmpfs(plan);
    }

    /// <summary>A part of the host's tree that has been bound to itself, all of its mounts included.</summary>
    internal static void BoundOfHost(LaunchPlan plan, string path, string label)
    {
        if (plan.Restrictions is not { } state)
        {
            plan.Add(SetAttributes(plan, Linux.AT_FDCWD, path, path, label, Linux.AT_RECURSIVE, ReadOnly));
            return;
        }

        RemountOfTree(plan, state, new ReachableMount(path, state.Mounts.FlagsAt(path)), label, Linux.MS_RDONLY);
        foreach (var mount in state.Mounts.Below(path)) RemountOfTree(plan, state, mount, label, Linux.MS_RDONLY);
    }

    /// <summary>A single mount that the plan has made itself, by a path that nobody can exchange; it has the flags <paramref name="held"/>.</summary>
    internal static void Own(LaunchPlan plan, string name, string path, string label, ulong held)
    {
        plan.Add(plan.Restrictions is null
            ? SetAttributes(plan, Linux.AT_FDCWD, name, path, label, 0, ReadOnly)
            : LaunchPlan.Syscall(Sys.mount, label, path, plan.Text("none"), plan.Text(name), 0, Remount | Linux.MS_RDONLY | held, 0));
    }

    private static mount_attr ReadOnly => new() { attr_set = Linux.MOUNT_ATTR_RDONLY };

    private static Step SetAttributes(LaunchPlan plan, Argument folder, string name, string path, string label, uint flags, in mount_attr attributes) =>
        LaunchPlan.Syscall(Sys.mount_setattr, label, path, folder, plan.Text(name), flags, plan.Struct(attributes), 32);

    private static void RestrictOne(LaunchPlan plan, Restrictions state, in DetachedRestriction tree, string name)
    {
        var source = default(HostSource);
        if (tree.Held is null) state.Mounts.Sources.TryGetValue(tree.Path, out source); // what was not there then is not the same now
        var held = tree.Held ?? (source.Path is null ? 0 : state.Mounts.FlagsAt(source.Path));
        var (register, text, empty) = (Argument.Register(tree.Register), plan.Text(name), plan.Text(""));
        var buffer = plan.Buffer(256);
        plan.Add(LaunchPlan.Syscall(Sys.statx, "look at what is restricted", tree.Path, register, empty, Linux.AT_EMPTY_PATH, Linux.STATX_TYPE | Linux.STATX_INO, buffer));
        if (tree.Held is null) CheckSame(plan, tree, source, held, buffer);
        plan.Add(LaunchPlan.Check("is it a folder", tree.Path, buffer, 28, 2, Linux.S_IFMT, Linux.S_IFDIR, Errno.ENOTDIR).Tolerate(Errno.ENOTDIR).SkipNext(1));
        plan.Add(LaunchPlan.Syscall(Sys.mkdirat, "make a place to restrict it", tree.Path, Linux.AT_FDCWD, text, 0x1c0 /* 0700 */).DoneSkips(1));
        plan.Add(LaunchPlan.Syscall(Sys.mknodat, "make a place to restrict it", tree.Path, Linux.AT_FDCWD, text, Linux.S_IFREG, 0));
        plan.Add(LaunchPlan.Syscall(Sys.move_mount, "attach it there", tree.Path, register, empty, Linux.AT_FDCWD, text, Linux.MOVE_MOUNT_F_EMPTY_PATH));
        Name(plan, tree.Register, tree.Path);
        var recursive = tree.Recursive ? Linux.MS_REC : 0;
        if (tree.Propagation != 0) plan.Add(Change(plan, state, tree.Path, tree.Label, recursive | tree.Propagation));
        if (tree.Flags != 0) plan.Add(Change(plan, state, tree.Path, tree.Label, Remount | held | tree.Flags));
        if (tree.Recursive && tree.Flags != 0 && source.Path is { } path)
            foreach (var mount in state.Mounts.Below(path))
                RemountAt(plan, state, register, mount.Path[(path.Length == 1 ? 1 : path.Length + 1)..], mount.Path, tree.Label, mount.Flags | tree.Flags, skips: false);
        plan.Add(Close(tree.Register, tree.Path));
        plan.Add(LaunchPlan.Syscall(Sys.open_tree, "take it again", tree.Path, Linux.AT_FDCWD, text,
            Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC | (tree.Recursive ? (uint)Linux.AT_RECURSIVE : 0)).To(tree.Register));
    }

    /// <summary>Something else, which may have other flags and other mounts below it, was in the place of it when the host looked.</summary>
    private static void CheckSame(LaunchPlan plan, in DetachedRestriction tree, in HostSource source, ulong held, Argument buffer)
    {
        plan.Add(LaunchPlan.Check(SameLabel, tree.Path, buffer, 32 /* stx_ino */, 8, ulong.MaxValue, source.Inode, Errno.EAGAIN));
        plan.Add(LaunchPlan.Check(SameLabel, tree.Path, buffer, 136 /* stx_dev_major, stx_dev_minor */, 8, ulong.MaxValue, source.Device, Errno.EAGAIN));
        var flags = plan.Buffer(120);
        plan.Add(LaunchPlan.Syscall(Sys.fstatfs, "look at its flags", tree.Path, Argument.Register(tree.Register), flags));
        plan.Add(LaunchPlan.Check(SameLabel, tree.Path, flags, 80 /* f_flags, in which these are as in mount(2) */, 8, Locked, held & Locked, Errno.EAGAIN));
    }

    private static void RemountOfTree(LaunchPlan plan, Restrictions state, in ReachableMount mount, string label, ulong extra) =>
        RemountAt(plan, state, Linux.AT_FDCWD, mount.Path, mount.Path, label, mount.Flags | state.Tree | extra, state.SkipsUnreachable);

    /// <summary>The path has no links, so that one that has come since leads nowhere; what is no mount any more cannot be remounted.</summary>
    private static void RemountAt(LaunchPlan plan, Restrictions state, Argument folder, string name, string path, string label, ulong flags, bool skips)
    {
        const ulong resolve = Linux.RESOLVE_NO_SYMLINKS | Linux.RESOLVE_NO_MAGICLINKS;
        const byte place = LaunchPlan.Scratch;
        var find = LaunchPlan.Syscall(Sys.openat2, Find, path, folder, plan.Text(name),
            plan.Struct(new open_how { flags = Linux.O_PATH | Linux.O_CLOEXEC, resolve = resolve }), 24).To(place);
        plan.Add(skips ? find.Tolerate(Errno.EACCES) : find);
        var first = plan.Steps.Length;
        Name(plan, place, path);
        plan.Add(Close(place, path));
        plan.Add(Change(plan, state, path, label, Remount | flags));
        if (skips) plan.SkipsFrom(first);
    }

    /// <summary>Gives what a register holds the number under which <see cref="Change"/> finds it.</summary>
    private static void Name(LaunchPlan plan, byte register, string path) =>
        plan.Add(LaunchPlan.Syscall(Sys.dup3, "name a mount", path, Argument.Register(register), Argument.Handle(PlanHandle.Mounts), Linux.O_CLOEXEC));

    private static Step Change(LaunchPlan plan, Restrictions state, string path, string label, ulong flags) =>
        LaunchPlan.Syscall(Sys.mount, label, path, plan.Text("none"), plan.Text(string.Create(CultureInfo.InvariantCulture, $"{Procfs}/self/fd/{state.Mounts.Descriptor}")),
            0, flags, 0);

    private static Step Close(byte register, string path) => LaunchPlan.Syscall(Sys.close, "close it again", path, Argument.Register(register));
}
