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
        using var stat = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%u %g", folder.Path + "/new"]) { RedirectStandardOutput = true })!;
        (await stat.StandardOutput.ReadToEndAsync(Token)).Should().Be("0 0\n", "on the host it is still the owner of the folder");
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

    [Fact(Timeout = 30_000)]
    public async Task An_ordinary_user_is_told_that_it_needs_root()
    {
        Assert.SkipWhen(Privilege.CanAdminister, "This user may map ids.");
        using var folder = new TemporaryFolder();
        var options = Trees.EmptyShell(true, ":");
        options.Filesystem.Mounts.Add(new BindMount(folder.Path, "/d") { IdMapping = new IdMapping(0, 1000) });
        var start = () => IsolatedProcess.RunAsync(options, Token);
        (await start.Should().ThrowAsync<IsolationException>()).Which.Hint.Should().Contain("needs root");
    }
}
