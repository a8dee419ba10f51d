using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Escapes;

/// <summary>The files of control groups, by which limits are raised and left, and new groups made.</summary>
public class ControlGroupAttackTests
{
    private const string Attack = """
        exec 2>/dev/null
        for f in $(find $CGROUPS -type f); do true >> $f && echo "open $f"; done
        for d in $(find $CGROUPS -type d); do mkdir $d/escape-$NAME && echo "made in $d" && rmdir $d/escape-$NAME; done
        for f in $(find $CGROUPS -name cgroup.procs -o -name tasks); do echo $$ > $f && echo "moved to $f"; done
        for f in $(find $CGROUPS -path "*$NAME/memory.max" -o -path "*$NAME/memory.limit_in_bytes"); do echo 1073741824 > $f && echo "raised $f"; done
        :
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    [EscapeAttempt(17)]
    public async Task Attempt_17_a_control_group_cannot_be_changed_or_left(EscapeMode mode)
    {
        using var group = ControlGroup.TryMake();
        using var host = new HostCanary();
        var options = Options(mode, Attack, group, waits: true);
        (options.StandardInput, options.StandardOutput) = (StandardStream.Pipe, StandardStream.Pipe);
        await using (var process = await IsolatedProcess.StartAsync(options, Token))
        {
            (await process.ReadLine()).Should().Be("ready");
            group?.Take(process.ProcessId);
            var (before, limit) = (HostView.Read(process.ProcessId, "cgroup"), group?.Limit);
            await process.WriteLine("go");
            for (string line; (line = await process.ReadLine()) != "done";) Assert.Fail($"It has {line}.");
            HostView.Read(process.ProcessId, "cgroup").Should().Be(before);
            (group?.Limit).Should().Be(limit);
        }

        host.IsUnharmed();

        // Who owns a group can do all that where its files are within reach; who owns none is to see that the attack would tell.
        var weak = Options(mode, group is null ? "mkdir -p $CGROUPS/$NAME; : > $CGROUPS/cgroup.procs; : > $CGROUPS/$NAME/memory.max\n" + Attack : Attack, group, waits: false);
        weak.Namespaces &= ~Namespaces.Cgroup;
        weak.Environment["CGROUPS"] = "/tmp/groups";
        if (group is not null) weak.Filesystem.Mounts.Add(new BindMount(group.Path, "/tmp/groups/" + group.Name) { Writable = true });
        var reached = await Sandbox.OutputOf(weak);
        foreach (var what in (string[])["open ", "made in ", "moved to "]) reached.Should().Contain(what);
        if (group is not { HasMemory: false }) reached.Should().Contain("raised ");
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    [EscapeAttempt(17)]
    public async Task Attempt_17_nor_by_a_mount_of_its_own(EscapeMode mode)
    {
        Assert.SkipUnless(File.ReadLines("/proc/filesystems").Any(static line => line.EndsWith("cgroup2", StringComparison.Ordinal)), "The kernel has no cgroup2.");
        const string mount = "exec 2>/dev/null; mkdir /tmp/groups; mount -t cgroup2 none /tmp/groups && echo mounted; [ -e /tmp/groups/cgroup.procs ] && echo there; :";
        using var host = new HostCanary();
        (await Sandbox.OutputOf(Options(mode, mount, null, waits: false))).Should().BeEmpty();
        var weak = Options(mode, mount, null, waits: false);
        (weak.Security.Capabilities, weak.Security.Seccomp) = (CapabilitySets.All, null);
        (await Sandbox.OutputOf(weak)).Should().Be("mounted\nthere\n");

        // One that was asked for shows no more than the sandbox's own group, and can be read only.
        var bound = Options(mode, Attack + "\necho done", null, waits: false);
        bound.Filesystem.Mounts.Add(KernelMount.Cgroup("/tmp/groups"));
        bound.Environment["CGROUPS"] = "/tmp/groups";
        (await Sandbox.OutputOf(bound)).Should().Be("done\n");
        host.IsUnharmed();
    }

    private static IsolationOptions Options(EscapeMode mode, string script, ControlGroup? group, bool waits)
    {
        var options = mode.In(Sandbox.Shell(waits ? $"echo ready; read -r line\n{script}\necho done; read -r line" : script));
        (options.Environment["CGROUPS"], options.Environment["NAME"]) = ("/sys/fs/cgroup", group?.Name ?? "own");
        return options;
    }
}
