using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>Files from memory, folders, links, and what is denied.</summary>
public class ContentTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_file_from_memory_has_its_content_mode_and_owner(bool userNamespace)
    {
        var options = Trees.EmptyShell(userNamespace, "cat /etc/app/config; stat -c '%a %u %g %s' /etc/app/config /run/secret /empty; (echo x >> /etc/app/config) 2>/dev/null || echo refused");
        options.Filesystem.Mounts.Add(new FileMount("/etc/app/config", "key = ü\n"));
        options.Filesystem.Mounts.Add(new FileMount("/run/secret", new byte[] { 1, 2, 3 }) { Mode = (UnixFileMode)0b100_000_000, UserId = 0, GroupId = 0 });
        options.Filesystem.Mounts.Add(new FileMount("/empty", ""));
        (await Sandbox.OutputOf(options)).Should().Be("key = ü\n644 0 0 9\n400 0 0 3\n644 0 0 0\nrefused\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_file_from_memory_can_belong_to_any_user_that_exists_inside()
    {
        Assert.SkipUnless(Privilege.CanMapEverything, "Only root can map more than one user.");
        var options = Trees.EmptyShell(true, "cat /secret; stat -c '%a %u %g' /secret /home/user");
        options.Filesystem.Mounts.Add(new FileMount("/secret", "s\n") { Mode = (UnixFileMode)0b100_000_000, UserId = 1000, GroupId = 1001 });
        options.Filesystem.Mounts.Add(new DirectoryMount("/home/user") { Mode = (UnixFileMode)0b111_000_000, UserId = 1000, GroupId = 1001 });
        options.User.UserId = 1000;
        options.User.GroupId = 1001;
        (await Sandbox.OutputOf(options)).Should().Be("s\n400 1000 1001\n700 1000 1001\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_large_file_from_memory_is_whole_and_more_than_one_fits(bool userNamespace)
    {
        var content = new byte[FileMount.MaxLength];
        Random.Shared.NextBytes(content);
        var options = Trees.EmptyShell(userNamespace, "busybox sha256sum /f0 /f1 /f2");
        for (var i = 0; i < 3; i++) options.Filesystem.Mounts.Add(new FileMount($"/f{i}", content));
        var expected = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content));
        (await Sandbox.OutputOf(options)).Should().Be($"{expected}  /f0\n{expected}  /f1\n{expected}  /f2\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task In_a_tree_of_the_host_it_covers_a_file_that_exists()
    {
        var options = Sandbox.Shell("cat /etc/hostname");
        options.Filesystem.Mounts.Add(new FileMount("/etc/hostname", "from memory\n"));
        var before = File.ReadAllText("/etc/hostname");
        (await Sandbox.OutputOf(options)).Should().Be("from memory\n");
        File.ReadAllText("/etc/hostname").Should().Be(before);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task Folders_and_links_are_made_in_a_tree_of_ones_own(bool userNamespace)
    {
        var options = Trees.EmptyShell(userNamespace, "stat -c '%a %F' /var/lib/app /opt; busybox readlink /var/run; busybox touch /var/run/file && ls /run");
        options.Filesystem.Mounts.Add(new DirectoryMount("/var/lib/app") { Mode = (UnixFileMode)0b1_111_111_111 });
        options.Filesystem.Mounts.Add(new DirectoryMount("/opt"));
        options.Filesystem.Mounts.Add(new DirectoryMount("/opt"));
        options.Filesystem.Mounts.Add(new DirectoryMount("/run"));
        options.Filesystem.Mounts.Add(new SymbolicLinkMount("/var/run", "/run"));
        (await Sandbox.OutputOf(options)).Should().Be("1777 directory\n755 directory\n/run\nfile\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task What_is_denied_can_be_seen_and_not_opened(bool userNamespace)
    {
        using var folder = new TemporaryFolder();
        folder.File("secret", "secret\n");
        Directory.CreateDirectory(folder.Path + "/keys");
        File.WriteAllText(folder.Path + "/keys/key", "key\n");
        foreach (var writable in (bool[])[true, false])
        {
            var options = Trees.EmptyShell(userNamespace, """
                cat /d/secret 2>/dev/null || echo no file; (echo x > /d/secret) 2>/dev/null || echo not written
                ls /d/keys 2>/dev/null || echo no list; cat /d/keys/key 2>/dev/null || echo no key; busybox rm -rf /d/secret /d/keys 2>/dev/null || echo not removed
                busybox mv /d/secret /d/other 2>/dev/null || echo not moved
                """);
            options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/d") { Writable = writable });
            options.Filesystem.Mounts.Add(new DeniedPath("/d/secret"));
            options.Filesystem.Mounts.Add(new DeniedPath("/d/keys"));
            (await Sandbox.OutputOf(options)).Should().Be("no file\nnot written\nno list\nno key\nnot removed\nnot moved\n");
        }

        File.ReadAllText(folder.Path + "/secret").Should().Be("secret\n");
        File.ReadAllText(folder.Path + "/keys/key").Should().Be("key\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task What_is_denied_and_does_not_exist_cannot_be_made_in_a_tree_of_ones_own(bool userNamespace)
    {
        var options = Trees.EmptyShell(userNamespace, "(echo x > /a/b/secret) 2>/dev/null || echo refused; busybox rm -f /a/b/secret 2>/dev/null || echo stays; busybox mkdir /a/b/secret 2>/dev/null || echo no folder");
        options.Filesystem.Mounts.Add(new DeniedPath("/a/b/secret"));
        (await Sandbox.OutputOf(options)).Should().Be("refused\nstays\nno folder\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task What_is_denied_and_does_not_exist_leaves_no_trace_on_the_host(bool userNamespace)
    {
        using var folder = new TemporaryFolder();
        var options = Trees.EmptyShell(userNamespace, "(echo x > /d/secret) 2>/dev/null || echo refused");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/d"));
        options.Filesystem.Mounts.Add(new DeniedPath("/d/secret"));
        options.Filesystem.Mounts.Add(new DeniedPath("/d/no/such/folder"));
        (await Sandbox.OutputOf(options)).Should().Be("refused\n");
        Directory.EnumerateFileSystemEntries(folder.Path).Should().BeEmpty();

        options.Filesystem.Mounts[^3] = new BindMount(folder.Path, "/d") { Writable = true };
        var start = () => IsolatedProcess.RunAsync(options, Token);
        (await start.Should().ThrowAsync<IsolationException>()).Which.Hint.Should().Contain("create it");
        Directory.EnumerateFileSystemEntries(folder.Path).Should().BeEmpty();
    }

    [Fact(Timeout = 30_000)]
    public async Task In_the_hosts_tree_a_list_of_what_is_denied_may_name_what_is_not_there()
    {
        var options = Sandbox.Shell("cat /etc/hostname 2>/dev/null || echo denied; ls /isolation-not-there 2>/dev/null || echo none");
        options.Filesystem.Mounts.Add(new DeniedPath("/etc/hostname"));
        options.Filesystem.Mounts.Add(new DeniedPath("/isolation-not-there"));
        (await Sandbox.OutputOf(options)).Should().Be("denied\nnone\n");
    }
}
