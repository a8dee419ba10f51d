using FluentAssertions;
using Isolation.Tests.Escapes;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>Device nodes, by which whoever may open one gets around every file system.</summary>
public class DeviceAttackTests
{
    private const string Make = """
        for d in /dev /dev/shm /tmp /; do
          for node in "c 1 5" $DISK; do
            $B rm -f $d/made; $B mknod $d/made $(IFS=-; echo $node)
            [ -n "$($B head -c 1 $d/made | $B od -A n -t x1)" ] && echo $d ${node%%[ -]*}; $B rm -f $d/made
          done
        done; :
        """;

    /// <summary>A disk that can be read from, as "b-MAJOR-MINOR", and its node on the host.</summary>
    private static readonly (string Number, string Path)? s_disk = FindDisk();

    private const string Open = "for d in $DEVICES; do [ -n \"$($B head -c 1 $d | $B od -A n -t x1)\" ] && echo $d; done; :";

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(16)]
    public async Task Attempt_16_device_nodes_cannot_be_made(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        // The kernel itself lets nobody do it below a user namespace.
        var weak = await tree.Attack(Make, static options =>
        {
            Disk(options);
            options.Security.Capabilities = CapabilitySets.All;
        });
        if (userNamespace) weak.Should().BeEmpty();
        else weak.Should().Be("/dev c\n" + (s_disk is null ? "" : "/dev b\n"), "the other places forbid devices");
        (await tree.Attack(Make, Disk)).Should().BeEmpty();

        static void Disk(IsolationOptions options) => options.Environment["DISK"] = s_disk?.Number ?? "";
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(16)]
    public async Task Attempt_16_a_device_that_is_bound_cannot_be_opened_unless_it_is_said(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        List<(string Source, string Target)> devices = [("/dev/zero", "/tmp/zero")];
        if (s_disk is { } disk) devices.Add((disk.Path, "/tmp/disk"));
        foreach (var allowed in (bool[])[true, false])
        {
            var seen = await tree.Attack(Open, options =>
            {
                options.Environment["DEVICES"] = string.Join(' ', devices.Select(static device => device.Target));
                foreach (var (source, target) in devices) options.Filesystem.Mounts.Add(new BindMount(source, target) { AllowDevices = allowed });
            });
            seen.Should().Be(allowed ? string.Concat(devices.Select(static device => device.Target + "\n")) : "");
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(16)]
    public async Task Attempt_16_a_device_node_that_lies_in_a_tree_cannot_be_opened(TreeKind kind, bool userNamespace)
    {
        Assert.SkipUnless(Privilege.CanAdminister, "Only root makes device nodes on the host.");
        Programs.Require("mknod");
        using var tree = new AttackedTree(kind, userNamespace);
        using var host = new TemporaryFolder();
        string[] nodes = kind switch
        {
            TreeKind.HostReadOnly => [host.Path + "/node"],
            TreeKind.Empty => [],
            _ => [tree.Path + "/node"],
        };
        foreach (var node in nodes)
        {
            using var process = System.Diagnostics.Process.Start("mknod", ["-m", "666", node, "c", "1", "5"]);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            process.ExitCode.Should().Be(0);
        }

        var inside = string.Join(' ', nodes.Select(node => kind == TreeKind.HostReadOnly ? node : "/node"));
        (await tree.Attack(Open, options =>
        {
            options.Filesystem.Root = Root.Host;
            options.Filesystem.PrivateTmp = false;
            options.Environment["DEVICES"] = string.Join(' ', nodes);
        })).Should().Be(string.Concat(nodes.Select(static node => node + "\n")), "they are devices");
        (await tree.Attack(Open, options =>
        {
            if (kind == TreeKind.HostReadOnly) options.Filesystem.PrivateTmp = false;
            options.Environment["DEVICES"] = inside;
        })).Should().BeEmpty();
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(15)]
    public async Task Attempt_15_set_user_id_bits_count_for_nothing_in_a_tree(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        // statfs(2): the mount flags of every place where a program could lie; 2 is ST_NOSUID.
        var text = await tree.Attack("$B grep -v -e ' /proc' /proc/self/mountinfo");
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            line.Split(' ')[5].Split(',').Should().Contain("nosuid", "of {0}", line);
    }

    private static (string Number, string Path)? FindDisk()
    {
        if (!Privilege.CanMapEverything || !File.Exists("/proc/partitions")) return null;
        foreach (var line in File.ReadLines("/proc/partitions").Skip(2))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var path = "/dev/" + fields[3];
            try
            {
                using var node = File.OpenHandle(path);
                if (RandomAccess.Read(node, new byte[1], 0) == 1) return ($"b-{fields[0]}-{fields[1]}", path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // none that is there
            }
        }

        return null;
    }
}
