using System.Diagnostics;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>A root in a file, made by the tools of the file systems themselves.</summary>
public class ImageFileTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, bool> Images => new() { { "squashfs", true }, { "squashfs", false }, { "erofs", true }, { "erofs", false } };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Images))]
    public async Task A_program_runs_from_an_image(string type, bool userNamespace)
    {
        using var image = await MakeImage(type);
        var options = Trees.Shell(Root.ImageFile(image.Path + "/image"), userNamespace, "cat /etc/issue; touch /etc/x 2>/dev/null || echo read-only; ls /");
        (await Sandbox.OutputOf(options)).Should().Be("the image's own\nread-only\nbin\ndev\netc\nproc\ntmp\n");
        await LoopsAreFree(image.Path);
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Images))]
    public async Task An_image_can_be_copied_on_write(string type, bool userNamespace)
    {
        using var image = await MakeImage(type);
        using var changes = new TemporaryFolder();
        var root = Root.ImageFile(image.Path + "/image", RootAccess.CopyOnWrite);
        (await Sandbox.OutputOf(Trees.Shell(root, userNamespace, "echo more >> /etc/issue; cat /etc/issue"))).Should().Be("the image's own\nmore\n");
        (await Sandbox.OutputOf(Trees.Shell(root.WithChangesIn(changes.Path), userNamespace, "echo kept > /etc/kept; cat /etc/issue"))).Should().Be("the image's own\n");
        File.ReadAllText(changes.Path + "/upper/etc/kept").Should().Be("kept\n");
        await LoopsAreFree(image.Path);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_file_that_is_no_image_is_an_error_that_says_so()
    {
        using var folder = new TemporaryFolder();
        foreach (var content in (string[])["", "too short", new string('x', 5000), "hsqs" + new string('x', 5000)])
        {
            var options = Trees.Shell(Root.ImageFile(folder.File("image", content)), true, ":");
            var start = () => IsolatedProcess.RunAsync(options, Token);
            var error = (await start.Should().ThrowAsync<IsolationException>()).Which;
            error.Step.Should().Be("mount the image");
            error.Hint.Should().NotBeNull();
        }

        await LoopsAreFree(folder.Path);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_ordinary_user_is_told_what_to_do()
    {
        Assert.SkipWhen(Privilege.CanAdminister, "This user may mount.");
        using var image = await MakeImage("squashfs", needsRoot: false);
        var start = () => IsolatedProcess.RunAsync(Trees.Shell(Root.ImageFile(image.Path + "/image"), true, ":"), Token);
        (await start.Should().ThrowAsync<IsolationException>()).Which.Hint.Should().Contain("Root.Directory");
    }

    private static async Task<TemporaryFolder> MakeImage(string type, bool needsRoot = true)
    {
        Assert.SkipUnless(!needsRoot || Privilege.CanAdminister, "Mounting an image needs root.");
        Assert.SkipUnless(!needsRoot || File.Exists("/dev/loop-control"), "The machine has no loop devices.");
        Assert.SkipUnless(File.ReadAllLines("/proc/filesystems").Any(line => line.Trim() == type), $"The kernel has no {type}.");
        var tool = type == "erofs" ? "mkfs.erofs" : "mksquashfs";
        Programs.Require(tool);
        using var root = Trees.MakeRoot(complete: false);
        var folder = new TemporaryFolder();
        string[] arguments = type == "erofs" ? [folder.Path + "/image", root.Path] : [root.Path, folder.Path + "/image", "-quiet", "-no-progress"];
        using var process = Process.Start(new ProcessStartInfo(Programs.Find(tool)!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var text = await process.StandardOutput.ReadToEndAsync(Token) + await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        process.ExitCode.Should().Be(0, text);
        return folder;
    }

    /// <summary>The kernel lets go of a loop device a moment after its mount is gone.</summary>
    private static Task LoopsAreFree(string folder) => HostView.Until(() => !Directory.EnumerateDirectories("/sys/block", "loop*")
        .Any(loop => File.Exists(loop + "/loop/backing_file") && Backing(loop).StartsWith(folder, StringComparison.Ordinal)), "no loop device is left");

    private static string Backing(string loop)
    {
        try
        {
            return File.ReadAllText(loop + "/loop/backing_file");
        }
        catch (IOException)
        {
            return ""; // gone meanwhile
        }
    }
}
