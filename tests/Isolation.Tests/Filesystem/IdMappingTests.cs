using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class IdMappingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_folder_of_the_host_appears_as_the_sandboxs_users_own(bool userNamespace)
    {
        Assert.SkipUnless(Privilege.CanAdminister, "Mapping ids needs root.");
        Assert.SkipWhen(Launching.Host.LacksMountSetattr, "Mapping ids needs mount_setattr (Linux 5.12).");
        using var folder = new TemporaryFolder();
        folder.File("file", "root's\n");
        var options = Trees.EmptyShell(userNamespace, "stat -c '%u %g' /d /d/file; cat /d/file; echo new > /d/new; stat -c '%u %g' /d/new; (echo x > /plain/new) 2>/dev/null || echo refused");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/d") { Writable = true, IdMapping = new IdMapping(0, 1000) });
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/plain") { Writable = true });
        options.User.UserId = options.User.GroupId = 1000;
        ProcessTextOutput result;
        try
        {
            result = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
        }
        catch (IsolationException error) when (error is { Syscall: "mount_setattr", Errno: 22 })
        {
            Assert.Skip("The file system of /tmp cannot map ids on this kernel.");
            return;
        }

        result.StandardError.Should().BeEmpty();
        result.StandardOutput.Should().Be("1000 1000\n1000 1000\nroot's\n1000 1000\nrefused\n");
        Output("stat", "-c", "%u %g", folder.Path + "/new").Should().Be("0 0\n", "on the host it is still the owner of the folder");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task A_folder_of_any_owner_appears_as_the_sandboxs_users_own(bool userNamespace, bool mapped)
    {
        Assert.SkipUnless(Privilege.CanAdminister && Privilege.CanMapEverything, "Mapping ids needs root.");
        Assert.SkipWhen(Launching.Host.LacksMountSetattr, "Mapping ids needs mount_setattr (Linux 5.12).");
        using var folder = new TemporaryFolder();
        folder.File("others");
        folder.File("file", "theirs\n");
        foreach (var path in (string[])[folder.Path, folder.Path + "/file"]) Output("chown", "5001:5002", path);
        var options = Trees.EmptyShell(userNamespace,
            "stat -c '%u %g' /d /d/file; cat /d/file; echo new > /d/new; stat -c '%u %g' /d/new; stat -c '%u' /d/others; (echo x > /d/others) 2>/dev/null || echo refused");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/d") { Writable = true, OwnedBySandboxUser = true });
        (options.User.UserId, options.User.GroupId) = (33, 34);
        if (mapped) (options.User.UserMap, options.User.GroupMap) = ([new(100_000, 0, 100)], [new(200_000, 0, 100)]);
        ProcessTextOutput result;
        try
        {
            result = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
        }
        catch (IsolationException error) when (error is { Syscall: "mount_setattr", Errno: 22 })
        {
            Assert.Skip("The file system of /tmp cannot map ids on this kernel.");
            return;
        }

        result.StandardError.Should().BeEmpty();
        result.StandardOutput.Should().Be("33 34\n33 34\ntheirs\n33 34\n65534\nrefused\n");
        Output("stat", "-c", "%u %g", folder.Path + "/new").Should().Be("5001 5002\n", "on the host it is the owner's");
    }

    [Fact]
    public void Who_is_looked_up_in_the_sandbox_cannot_be_shown_as_an_owner()
    {
        var options = Trees.EmptyShell(true, ":");
        options.Filesystem.Mounts.Add(new BindMount("/tmp", "/d") { OwnedBySandboxUser = true });
        options.User.Name = "app";
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>().WithMessage("*1000:1000*");
        options.User.Name = null;
        options.Filesystem.Mounts.Add(new BindMount("/tmp", "/e") { OwnedBySandboxUser = true, IdMapping = new IdMapping(0, 1) });
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>().WithMessage("*two ways*");
    }

    [Fact(Timeout = 30_000)]
    public async Task Who_has_an_older_kernel_is_told_that_it_needs_a_newer_one()
    {
        Assert.SkipUnless(Privilege.CanAdminister, "Mapping ids needs root.");
        Assert.SkipUnless(Launching.Host.LacksMountSetattr, "The kernel has mount_setattr.");
        using var folder = new TemporaryFolder();
        var options = Trees.EmptyShell(true, ":");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/d") { IdMapping = new IdMapping(0, 1000) });
        var error = (await FluentActions.Awaiting(() => IsolatedProcess.RunAsync(options, Token)).Should().ThrowAsync<IsolationException>()).Which;
        error.Syscall.Should().Be("mount_setattr");
        error.Hint.Should().Contain("5.12");
    }

    [Fact(Timeout = 30_000)]
    public async Task Start_after_start_gets_what_the_host_has_mapped()
    {
        Assert.SkipUnless(Privilege.CanAdminister, "Mapping ids needs root.");
        Assert.SkipWhen(Launching.Host.LacksMountSetattr, "Mapping ids needs mount_setattr (Linux 5.12).");
        using var folder = new TemporaryFolder();
        await Task.Run(() =>
        {
            // One that blocks does not wait for the child to have copies of the descriptors that are its mounts.
            for (var i = 0; i < 20; i++)
            {
                var options = Trees.EmptyShell(true, ":");
                options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/d") { IdMapping = new IdMapping(0, 1000) });
                try
                {
                    IsolatedProcess.Run(options).ToString().Should().Be("exit code 0");
                }
                catch (IsolationException error) when (error is { Syscall: "mount_setattr", Errno: 22 })
                {
                    Assert.Skip("The file system of /tmp cannot map ids on this kernel.");
                }
            }
        }, Token);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_ordinary_user_is_told_that_it_needs_root(bool owned)
    {
        Assert.SkipWhen(Privilege.CanAdminister, "This user may map ids.");
        using var folder = new TemporaryFolder();
        var options = Trees.EmptyShell(true, ":");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/d") { IdMapping = owned ? null : new IdMapping(0, 1000), OwnedBySandboxUser = owned });
        var start = () => IsolatedProcess.RunAsync(options, Token);
        (await start.Should().ThrowAsync<IsolationException>()).Which.Hint.Should().Contain("needs root");
    }

    private static string Output(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        return process.StandardOutput.ReadToEnd();
    }
}
