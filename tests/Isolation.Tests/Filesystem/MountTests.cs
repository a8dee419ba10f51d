using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>What can be put into a tree, each seen from inside and, where it could show, on the host.</summary>
public class MountTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_folder_of_the_host_is_read_only_unless_it_is_said_otherwise(bool userNamespace)
    {
        using var folder = new TemporaryFolder();
        folder.File("canary", "the host's\n");
        var options = Trees.EmptyShell(userNamespace, "cat /a/canary /deep/b/canary; (echo x > /a/new) 2>/dev/null || echo refused; echo y > /deep/b/new");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/a"));
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/deep/b") { Writable = true });
        (await Sandbox.OutputOf(options)).Should().Be("the host's\nthe host's\nrefused\n");
        File.ReadAllText(folder.Path + "/new").Should().Be("y\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_single_file_can_be_bound(bool userNamespace)
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("config", "from the host\n");
        var options = Trees.EmptyShell(userNamespace, "cat /etc/app/config; (echo x > /etc/app/config) 2>/dev/null || echo refused");
        options.Filesystem.Mounts.Add(new BindMount(file, "/etc/app/config"));
        (await Sandbox.OutputOf(options)).Should().Be("from the host\nrefused\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task Flags_of_a_bind_mount_are_the_ones_asked_for(bool userNamespace)
    {
        using var folder = new TemporaryFolder();
        folder.Script("script", "echo ran");
        var options = Trees.EmptyShell(userNamespace, "cat /proc/self/mountinfo; /noexec/script 2>/dev/null || echo refused");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/noexec") { AllowExecution = false });
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/all") { AllowDevices = true, AllowSetUserId = true, Writable = true });
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/default"));
        var text = await Sandbox.OutputOf(options);
        text.Should().EndWith("refused\n");
        Flags(text, "/noexec").Should().Contain(["ro", "nosuid", "nodev", "noexec"]);
        Flags(text, "/default").Should().Contain(["ro", "nosuid", "nodev"]).And.NotContain("noexec");
        Flags(text, "/all").Should().Contain("rw");
        string[] already = [.. HostFlags(folder.Path)];
        Flags(text, "/all").Intersect(["nosuid", "nodev", "noexec"]).Should().BeSubsetOf(already, "only what the host has locked stays");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task What_is_not_there_may_be_left_out(bool userNamespace)
    {
        using var folder = new TemporaryFolder();
        var options = Trees.EmptyShell(userNamespace, "ls -d /there /not 2>/dev/null; :");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/there") { IgnoreMissing = true });
        options.Filesystem.Mounts.Add(new BindMount(folder.Path + "/not", "/not") { IgnoreMissing = true });
        (await Sandbox.OutputOf(options)).Should().Be("/there\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_missing_source_is_an_error_that_names_it()
    {
        var options = Trees.EmptyShell(true, ":");
        options.Filesystem.Mounts.Add(new BindMount("/does/not/exist", "/x"));
        var start = () => IsolatedProcess.RunAsync(options, Token);
        var error = (await start.Should().ThrowAsync<IsolationException>()).Which;
        (error.Syscall, error.Errno, error.Path).Should().Be(("open_tree", 2, "/does/not/exist"));
    }

    [Fact(Timeout = 30_000)]
    public async Task In_the_hosts_read_only_tree_a_place_must_exist_and_the_error_says_what_to_do()
    {
        using var folder = new TemporaryFolder();
        var options = Sandbox.Shell(":");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/isolation-no-such-place"));
        var start = () => IsolatedProcess.RunAsync(options, Token);
        var error = (await start.Should().ThrowAsync<IsolationException>()).Which;
        (error.Errno, error.Path).Should().Be((2, "/isolation-no-such-place"));
        error.Hint.Should().Contain("must exist");
        Directory.Exists("/isolation-no-such-place").Should().BeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task In_the_hosts_tree_mounts_go_over_what_exists_and_into_private_folders()
    {
        using var folder = new TemporaryFolder();
        folder.File("canary", "bound\n");
        var options = Sandbox.Shell("cat /mnt/canary /tmp/deep/down/canary /run/x/canary; (touch /mnt/new) 2>/dev/null || echo refused");
        foreach (var target in (string[])["/mnt", "/tmp/deep/down", "/run/x"]) options.Filesystem.Mounts.Add(new BindMount(folder.Path, target));
        (await Sandbox.OutputOf(options)).Should().Be("bound\nbound\nbound\nrefused\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_writable_folder_in_the_hosts_read_only_tree_is_writable()
    {
        using var folder = new TemporaryFolder();
        var options = Sandbox.Shell("echo kept > /mnt/new && cat /mnt/new");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/mnt") { Writable = true });
        (await Sandbox.OutputOf(options)).Should().Be("kept\n");
        File.ReadAllText(folder.Path + "/new").Should().Be("kept\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_tmpfs_has_the_size_mode_and_number_of_files_asked_for(bool userNamespace)
    {
        var options = Trees.EmptyShell(userNamespace, """
            stat -c %a /t /few; busybox dd if=/dev/zero of=/t/f bs=4k count=1000 2>/dev/null; stat -c %s /t/f
            i=0; while busybox touch /few/$i 2>/dev/null; do i=$((i+1)); done; echo $i; busybox touch /ro/f 2>/dev/null || echo read-only
            """);
        options.Filesystem.Mounts.Add(new TmpfsMount("/t") { Size = 256 << 10, Mode = (UnixFileMode)0b111_000_000 });
        options.Filesystem.Mounts.Add(new TmpfsMount("/few") { Inodes = 10, Mode = (UnixFileMode)0b1_111_111_111 });
        options.Filesystem.Mounts.Add(new TmpfsMount("/ro") { ReadOnly = true });
        (await Sandbox.OutputOf(options)).Should().Be("700\n1777\n262144\n9\nread-only\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_procfs_can_show_processes_only(bool userNamespace)
    {
        var options = Trees.EmptyShell(userNamespace, "ls /proc; busybox ls /second/1/comm");
        options.Filesystem.Mounts.Add(new ProcMount { ProcessesOnly = true, HideOthers = true });
        options.Filesystem.Mounts.Add(new ProcMount("/second"));
        var text = await Sandbox.OutputOf(options);
        text.Should().Contain("self\n").And.NotContain("cpuinfo").And.NotContain("kcore").And.EndWith("/second/1/comm\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_second_procfs_is_masked_as_well(bool userNamespace)
    {
        var options = Trees.EmptyShell(userNamespace, "cat /second/keys /second/interrupts /proc/keys | busybox wc -c; (echo x > /second/sys/kernel/hostname) 2>/dev/null || echo refused");
        options.Filesystem.Mounts.Add(new ProcMount("/second"));
        (await Sandbox.OutputOf(options)).Should().Be("0\nrefused\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task Sysfs_shows_the_sandboxs_own_network_and_is_read_only(bool userNamespace)
    {
        var options = Trees.EmptyShell(userNamespace, "ls /sys/class/net; ls -A /sys/firmware 2>/dev/null; (echo 1 > /sys/class/net/lo/mtu) 2>/dev/null || echo refused");
        options.Filesystem.Mounts.Add(KernelMount.Sysfs());
        (await Sandbox.OutputOf(options)).Should().Be("lo\nrefused\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task Kernel_file_systems_are_the_sandboxs_own(bool userNamespace)
    {
        var options = Trees.EmptyShell(userNamespace, "cat /proc/self/mountinfo; ls /terminals; busybox touch /dev/mqueue/q && ls /dev/mqueue");
        options.Filesystem.Mounts.Add(KernelMount.DevPts("/terminals"));
        options.Filesystem.Mounts.Add(KernelMount.MessageQueue());
        var text = await Sandbox.OutputOf(options);
        text.Should().EndWith("ptmx\nq\n").And.Contain(" /terminals ").And.Contain(" - mqueue ");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task Control_groups_begin_at_the_sandboxs_own(bool userNamespace)
    {
        Assert.SkipUnless(File.Exists("/sys/fs/cgroup/cgroup.controllers"), "The machine has no cgroup v2 at /sys/fs/cgroup.");
        var options = Trees.EmptyShell(userNamespace, "ls /sys/fs/cgroup/cgroup.procs; (echo 1 > /sys/fs/cgroup/cgroup.procs) 2>/dev/null || echo refused");
        options.Filesystem.Mounts.Add(KernelMount.Cgroup());
        (await Sandbox.OutputOf(options)).Should().Be("/sys/fs/cgroup/cgroup.procs\nrefused\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task An_overlay_can_be_anywhere(bool userNamespace)
    {
        using var lower = new TemporaryFolder();
        using var upper = new TemporaryFolder();
        using var changes = new TemporaryFolder();
        lower.File("a", "lower\n");
        lower.File("b", "lower\n");
        upper.File("b", "upper\n");
        var options = Trees.EmptyShell(userNamespace, "cat /o/a /o/b; echo new > /o/a; cat /o/a; echo kept > /kept/c");
        options.Filesystem.Mounts.Add(new OverlayMount("/o", lower.Path, upper.Path));
        options.Filesystem.Mounts.Add(new OverlayMount("/kept", lower.Path) { Changes = changes.Path });
        (await Sandbox.OutputOf(options)).Should().Be("lower\nupper\nnew\n");
        File.ReadAllText(lower.Path + "/a").Should().Be("lower\n");
        File.ReadAllText(changes.Path + "/upper/c").Should().Be("kept\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task Devices_of_the_host_can_be_added_by_name(bool userNamespace)
    {
        Assert.SkipUnless(File.Exists("/dev/net/tun"), "The machine has no /dev/net/tun.");
        var options = Trees.EmptyShell(userNamespace, "ls -l /dev/net/tun | busybox cut -c1");
        options.Filesystem.Devices.Add("net/tun");
        (await Sandbox.OutputOf(options)).Should().Be("c\n");
    }

    [Fact]
    public void Places_that_cannot_be_are_refused_at_once()
    {
        foreach (var target in (string[])["", "relative", "/", "/.", "/a/../b", "/proc", "/proc/sys", "//proc/self", "/a\0b"])
            ((Action)(() => new TmpfsMount(target))).Should().Throw<ArgumentException>(target);
        ((Action)(() => new ProcMount("/proc/x"))).Should().Throw<ArgumentException>();
        new TmpfsMount("//a/./b/").Target.Should().Be("/a/b");
    }

    private static string[] Flags(string mountinfo, string target) =>
        mountinfo.Split('\n').Select(static line => line.Split(' ')).Last(fields => fields.Length > 5 && fields[4] == target)[5].Split(',');

    private static IEnumerable<string> HostFlags(string path) => File.ReadAllLines("/proc/self/mountinfo").Select(static line => line.Split(' '))
        .Where(fields => path.StartsWith(fields[4], StringComparison.Ordinal)).MaxBy(static fields => fields[4].Length)![5].Split(',');
}
