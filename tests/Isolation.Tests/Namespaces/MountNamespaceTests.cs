using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class MountNamespaceTests
{
    [Fact(Timeout = 30_000)]
    public async Task What_a_program_writes_to_tmp_stays_inside()
    {
        var name = "isolation-" + Guid.NewGuid().ToString("N");
        var output = await Sandbox.OutputOf($"for d in /tmp /var/tmp /dev/shm; do echo data > $d/{name}; cat $d/{name}; done; ls -A /tmp");
        output.Should().Be($"data\ndata\ndata\n{name}\n");
        foreach (var folder in (string[])["/tmp", "/var/tmp", "/dev/shm"]) File.Exists(Path.Combine(folder, name)).Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_does_not_see_the_hosts_tmp_and_run()
    {
        using var folder = new TemporaryFolder();
        (await Sandbox.OutputOf($"ls -A /tmp /run; test ! -e {folder.Path}")).Should().Be("/run:\n\n/tmp:\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Private_tmp_has_the_size_asked_for_and_the_usual_modes()
    {
        Programs.Require("stat", "dd");
        var options = Sandbox.Shell("""
            stat -c '%a %n' /tmp /var/tmp /dev/shm /run /dev
            dd if=/dev/zero of=/tmp/big bs=1M count=3 2>/dev/null; wc -c < /tmp/big
            """);
        options.Filesystem.TmpSize = 1 << 20;
        (await Sandbox.OutputOf(options)).Should().Be("1777 /tmp\n1777 /var/tmp\n1777 /dev/shm\n755 /run\n755 /dev\n1048576\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Every_mount_of_the_host_is_read_only_inside()
    {
        var mounts = Mounts(await Sandbox.OutputOf("cat /proc/self/mountinfo"));
        string[] own = ["/proc", "/dev", "/dev/pts", "/dev/shm", "/tmp", "/var/tmp", "/run"];
        mounts.Should().Contain(mount => mount.Point == "/");
        // A mount that lies under one of our own cannot be reached, but is listed.
        foreach (var group in mounts.GroupBy(static mount => mount.Point))
        {
            var last = group.Last();
            if (own.Contains(group.Key)) last.IsReadOnly.Should().BeFalse("{0} is the sandbox's own", group.Key);
            else last.IsReadOnly.Should().BeTrue("{0} is the host's", group.Key);
            foreach (var lower in group.SkipLast(1)) lower.IsReadOnly.Should().BeTrue("{0} is the host's, below another", group.Key);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_cannot_write_to_the_hosts_tree()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("file", "host");
        var writable = Mounts(File.ReadAllText("/proc/self/mountinfo")).Select(static mount => mount.Point)
            .Where(static point => Directory.Exists(point) && point is not "/run" and not "/tmp")
            .Where(static point => point.Split('/')[1] is not "proc" and not "dev")
            .Append(folder.Path).Append("/etc").Append("/usr/bin").Distinct().ToList();
        var options = Sandbox.Shell(
            """
            for d; do { echo x > "$d/isolation-probe"; } 2>/dev/null && echo "wrote to $d"; done
            { echo x >> "$FILE"; } 2>/dev/null || cat "$FILE"
            """, writable);
        options.Filesystem.PrivateTmp = options.Filesystem.PrivateRun = false;
        options.Environment["FILE"] = file;
        (await Sandbox.OutputOf(options)).Should().Be("host");
        writable.Should().OnlyContain(static point => !File.Exists(Path.Combine(point, "isolation-probe")));
    }

    [Fact(Timeout = 30_000)]
    public async Task Mounts_below_other_mounts_are_read_only_too()
    {
        Assert.SkipUnless(Privilege.CanAdminister, "Mounting on the host needs CAP_SYS_ADMIN.");
        Programs.Require("mount", "umount");
        using var folder = new TemporaryFolder();
        Host("mount", "-t", "tmpfs", "-o", "mode=777", "tmpfs", folder.Path);
        try
        {
            var inner = Directory.CreateDirectory(Path.Combine(folder.Path, "inner")).FullName;
            Host("mount", "-t", "tmpfs", "-o", "mode=777", "tmpfs", inner);
            try
            {
                var options = Sandbox.Shell($"for d in {folder.Path} {inner}; do {{ touch $d/x; }} 2>&1; done");
                options.Filesystem.PrivateTmp = false;
                var result = await IsolatedProcess.RunAndCaptureTextAsync(options, TestContext.Current.CancellationToken);
                result.StandardOutput.Should().Contain($"'{folder.Path}/x': Read-only file system")
                    .And.Contain($"'{inner}/x': Read-only file system");
            }
            finally
            {
                Host("umount", inner);
            }
        }
        finally
        {
            Host("umount", folder.Path);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_with_the_hosts_root_writes_where_its_user_may()
    {
        using var folder = new TemporaryFolder();
        var options = Sandbox.Shell($"echo inside > {folder.Path}/file");
        options.Filesystem.Root = Root.Host;
        options.Filesystem.PrivateTmp = false;
        await Sandbox.OutputOf(options);
        File.ReadAllText(Path.Combine(folder.Path, "file")).Should().Be("inside\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task With_the_hosts_root_tmp_is_still_private()
    {
        using var folder = new TemporaryFolder();
        var options = Sandbox.Shell($"test ! -e {folder.Path} && echo data > /tmp/file && cat /tmp/file");
        options.Filesystem.Root = Root.Host;
        (await Sandbox.OutputOf(options)).Should().Be("data\n");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_mounted_inside_does_not_reach_the_host(bool readOnly)
    {
        Programs.Require("mount");
        var before = File.ReadAllText("/proc/self/mountinfo");
        var options = Sandbox.Shell("""
            mkdir /tmp/x && mount -t tmpfs isolation-probe /tmp/x && mount -t tmpfs isolation-probe /mnt
            grep -c isolation-probe /proc/self/mountinfo
            """);
        options.Filesystem.Root = readOnly ? Root.HostReadOnly : Root.Host;
        (options.Security.Capabilities, options.Security.Seccomp) = (CapabilitySets.All, null);
        options.Namespaces = Namespaces.Default;
        (await Sandbox.OutputOf(options)).Should().Be("2\n");
        File.ReadAllText("/proc/self/mountinfo").Should().NotContain("isolation-probe").And.Be(before);
    }

    [Fact(Timeout = 30_000)]
    public async Task Nothing_of_the_tree_is_shared_with_the_host() =>
        (await Sandbox.OutputOf("cat /proc/self/mountinfo")).Should().NotContain("shared:").And.NotContain("master:");

    [Fact(Timeout = 30_000)]
    public async Task The_parts_of_the_tree_can_be_left_as_the_host_has_them()
    {
        var options = Sandbox.Shell("cat /proc/self/mountinfo");
        var filesystem = options.Filesystem;
        filesystem.PrivateDev = filesystem.PrivateProc = filesystem.PrivateRun = filesystem.PrivateTmp = filesystem.MaskKernelFiles = false;
        Mounts(await Sandbox.OutputOf(options)).Select(static mount => mount.Point)
            .Should().BeEquivalentTo(Mounts(File.ReadAllText("/proc/self/mountinfo")).Select(static mount => mount.Point));
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_a_mount_namespace_the_tree_is_the_hosts()
    {
        Assert.SkipUnless(Privilege.CanAdminister, "Namespaces without a user namespace need CAP_SYS_ADMIN.");
        using var folder = new TemporaryFolder();
        await Sandbox.OutputOf(Sandbox.ShellIn(Namespaces.Default & ~Namespaces.Mount, $"echo inside > {folder.Path}/file"));
        File.ReadAllText(Path.Combine(folder.Path, "file")).Should().Be("inside\n");
    }

    private static List<(string Point, bool IsReadOnly)> Mounts(string mountInfo) =>
        [.. mountInfo.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split(' ')).Select(static fields =>
            (fields[4], fields[5].Split(',').Contains("ro")))];

    private static void Host(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        process.WaitForExit();
        process.ExitCode.Should().Be(0, "{0} {1}", program, string.Join(' ', arguments));
    }
}
