using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class RootTests
{
    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task An_empty_root_has_what_was_put_into_it_and_nothing_else(bool userNamespace)
    {
        var options = Trees.EmptyShell(userNamespace, "ls -1 /; echo written > /file; cat /file; cat /proc/1/comm; ls /dev/null /dev/shm -d");
        (await Sandbox.OutputOf(options)).Should().Be("bin\ndev\nproc\ntmp\nwritten\nsh\n/dev/null\n/dev/shm\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task An_empty_root_has_the_size_that_was_asked_for(bool userNamespace)
    {
        var options = Trees.EmptyShell(userNamespace, "busybox dd if=/dev/zero of=/file bs=4k count=1000 2>/dev/null; stat -c %s /file");
        options.Filesystem.Root = Root.Empty(1 << 20);
        var written = long.Parse(await Sandbox.OutputOf(options), System.Globalization.CultureInfo.InvariantCulture);
        written.Should().BeInRange(512 << 10, 1 << 20);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task The_hosts_tree_is_gone_whatever_the_root_is(bool userNamespace)
    {
        using var root = Trees.MakeRoot();
        using var bare = Trees.MakeRoot(complete: false);
        using var changes = new TemporaryFolder();
        using var canary = new TemporaryFolder();
        Root[] roots =
        [
            Root.Directory(root.Path), Root.Directory(bare.Path), Root.Directory(root.Path, RootAccess.Writable), Root.Directory(bare.Path, RootAccess.CopyOnWrite),
            Root.Directory(root.Path, RootAccess.CopyOnWrite).WithChangesIn(changes.Path), Root.Layers([bare.Path, canary.Path]), Root.Layers([root.Path], RootAccess.ReadOnly),
        ];
        foreach (var tree in roots)
        {
            var options = Trees.Shell(tree, userNamespace, "cat /proc/self/mountinfo; ls / /..; ls /tmp/../.. /proc/1/root/.. /proc/1/cwd/.. ; cat /etc/issue; chroot /.. /bin/ls /etc 2>/dev/null || echo no chroot");
            Check(await Sandbox.OutputOf(options), tree);
        }

        Check(await Sandbox.OutputOf(Trees.EmptyShell(userNamespace, "cat /proc/self/mountinfo; ls / /..; echo the image\\'s own; echo no chroot")), Root.Empty());

        static void Check(string text, Root tree)
        {
            text.Should().EndWith("the image's own\nno chroot\n", "{0}", tree).And.NotContain("\nhome\n").And.NotContain("\nusr\n");
            var mounted = text.Split('\n').Where(line => line.Contains(" - ", StringComparison.Ordinal)).Select(line => line.Split(' ')[4]);
            mounted.Where(static path => path is not ("/tmp" or "/run" or "/bin/busybox") && !path.StartsWith("/proc/", StringComparison.Ordinal)).Should().BeEquivalentTo(
                ["/", "/dev", "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/pts", "/dev/shm", "/proc"], "{0}", tree);
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_read_only_folder_cannot_be_written_and_is_not_touched(bool userNamespace)
    {
        using var root = Trees.MakeRoot();
        var before = Trees.Content(root.Path);
        var options = Trees.Shell(Root.Directory(root.Path), userNamespace,
            "for f in /file /etc/file /bin/file /dev/../file; do touch $f 2>/dev/null && echo wrote $f; done; touch /tmp/file /run/file && echo private");
        (await Sandbox.OutputOf(options)).Should().Be("private\n");
        Trees.Content(root.Path).Should().Equal(before);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_read_only_folder_without_mount_points_gets_them_for_show(bool userNamespace)
    {
        using var root = Trees.MakeRoot(complete: false);
        var before = Trees.Content(root.Path);
        var options = Trees.Shell(Root.Directory(root.Path), userNamespace,
            "ls /; cat /proc/1/comm; touch /file 2>/dev/null || echo read-only; cat /data/canary");
        using var data = new TemporaryFolder();
        File.WriteAllText(data.Path + "/canary", "bound\n");
        options.Filesystem.Mounts.Add(new BindMount(data.Path, "/data"));
        (await Sandbox.OutputOf(options)).Should().Be("bin\ndata\ndev\netc\nproc\ntmp\nsh\nread-only\nbound\n");
        Trees.Content(root.Path).Should().Equal(before);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_writable_folder_keeps_what_is_written(bool userNamespace)
    {
        using var root = Trees.MakeRoot();
        var options = Trees.Shell(Root.Directory(root.Path, RootAccess.Writable), userNamespace, "echo kept > /etc/file");
        await Sandbox.OutputOf(options);
        File.ReadAllText(root.Path + "/etc/file").Should().Be("kept\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_copy_on_write_root_forgets_what_is_written(bool userNamespace)
    {
        using var root = Trees.MakeRoot(complete: false);
        var before = Trees.Content(root.Path);
        const string script = "test ! -e /file && echo x > /file && echo y >> /etc/issue && rm /bin/ls && test ! -e /bin/ls && cat /file /etc/issue";
        for (var i = 0; i < 2; i++)
        {
            var options = Trees.Shell(Root.Directory(root.Path, RootAccess.CopyOnWrite), userNamespace, script);
            (await Sandbox.OutputOf(options)).Should().Be("x\nthe image's own\ny\n");
        }

        Trees.Content(root.Path).Should().Equal(before);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task Changes_can_be_kept_in_a_folder_and_gone_on_with(bool userNamespace)
    {
        using var root = Trees.MakeRoot();
        using var changes = new TemporaryFolder();
        var tree = Root.Directory(root.Path, RootAccess.CopyOnWrite).WithChangesIn(changes.Path);
        await Sandbox.OutputOf(Trees.Shell(tree, userNamespace, "echo first > /file; rm /etc/issue"));
        (await Sandbox.OutputOf(Trees.Shell(tree, userNamespace, "cat /file; ls /etc"))).Should().Be("first\n");
        File.ReadAllText(changes.Path + "/upper/file").Should().Be("first\n");
        File.Exists(root.Path + "/etc/issue").Should().BeTrue();
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task Layers_cover_one_another(bool userNamespace)
    {
        using var lowest = Trees.MakeRoot();
        using var middle = new TemporaryFolder();
        using var top = new TemporaryFolder("with,a:comma");
        Directory.CreateDirectory(middle.Path + "/etc");
        File.WriteAllText(middle.Path + "/etc/issue", "middle\n");
        File.WriteAllText(middle.Path + "/a", "middle\n");
        File.WriteAllText(top.Path + "/a", "top\n");
        foreach (var access in (RootAccess[])[RootAccess.CopyOnWrite, RootAccess.ReadOnly])
        {
            var options = Trees.Shell(Root.Layers([lowest.Path, middle.Path, top.Path], access), userNamespace, "cat /a /etc/issue; touch /b 2>/dev/null && echo written");
            var result = await IsolatedProcess.RunAndCaptureTextAsync(options, TestContext.Current.CancellationToken);
            result.StandardOutput.Should().Be("top\nmiddle\n" + (access == RootAccess.CopyOnWrite ? "written\n" : ""));
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task As_many_layers_as_an_image_may_have_are_no_problem(bool userNamespace)
    {
        using var lowest = Trees.MakeRoot();
        using var layers = new TemporaryFolder();
        string[] folders = [lowest.Path, .. Enumerable.Range(0, 127).Select(i => Directory.CreateDirectory($"{layers.Path}/{new string('x', 100)}{i}").FullName)];
        File.WriteAllText(folders[^1] + "/top", "top\n");
        (await Sandbox.OutputOf(Trees.Shell(Root.Layers(folders), userNamespace, "cat /top"))).Should().Be("top\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_root_that_does_not_exist_is_an_error_that_names_it()
    {
        foreach (var access in Enum.GetValues<RootAccess>())
        {
            var options = Trees.Shell(Root.Directory("/does/not/exist", access), true, ":");
            var start = () => IsolatedProcess.RunAsync(options, TestContext.Current.CancellationToken);
            var error = (await start.Should().ThrowAsync<IsolationException>()).Which;
            (error.Errno, error.Path).Should().Be((2, "/does/not/exist"));
        }
    }

    [Fact]
    public void What_makes_no_sense_is_refused_at_once()
    {
        ((Action)(() => Root.Layers([]))).Should().Throw<ArgumentException>();
        ((Action)(() => Root.Layers(["/a"], RootAccess.Writable))).Should().Throw<ArgumentException>();
        ((Action)(() => Root.Directory(""))).Should().Throw<ArgumentException>();
        ((Action)(() => Root.Directory("/a\0b"))).Should().Throw<ArgumentException>();
        ((Action)(() => Root.Empty(0))).Should().Throw<ArgumentException>();
        ((Action)(() => Root.Directory("/a").WithChangesIn("/b"))).Should().Throw<InvalidOperationException>();
        ((Action)(() => Root.ImageFile("/a", RootAccess.Writable))).Should().Throw<ArgumentException>();
    }
}
