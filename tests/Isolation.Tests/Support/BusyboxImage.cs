using System.Diagnostics;
using FluentAssertions;
using Xunit;

namespace Isolation.Tests.Support;

/// <summary>An image of Debian's static busybox, packed by umoci and converted by skopeo: by nobody here.</summary>
internal sealed class BusyboxImage : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private BusyboxImage()
    {
    }

    /// <summary>An OCI image layout, as a folder.</summary>
    internal string Layout => _folder.Path + "/layout";

    /// <summary>The same as <c>docker save</c> writes it.</summary>
    internal string DockerArchive => _folder.Path + "/busybox.tar";

    /// <summary>The unpacked file tree.</summary>
    internal string Tree => _folder.Path + "/bundle/rootfs";

    internal static async Task<BusyboxImage> MakeAsync()
    {
        Programs.Require("umoci", "skopeo", "busybox");
        var image = new BusyboxImage();
        string[] rootless = Privilege.CanAdminister ? [] : ["--rootless"];
        await RunAsync("umoci", "init", "--layout", image.Layout);
        await RunAsync("umoci", "new", "--image", image.Layout + ":latest");
        await RunAsync("umoci", ["unpack", .. rootless, "--image", image.Layout + ":latest", image._folder.Path + "/bundle"]);
        foreach (var name in (string[])["bin", "etc", "root", "home/app"]) Directory.CreateDirectory($"{image.Tree}/{name}");
        File.Copy(Trees.Busybox, image.Tree + "/bin/busybox");
        foreach (var name in (string[])["sh", "ls", "cat", "id", "ps", "hostname", "pwd", "env", "touch", "echo", "rm", "true", "sleep", "kill"])
            File.CreateSymbolicLink($"{image.Tree}/bin/{name}", "busybox");
        File.WriteAllText(image.Tree + "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n");
        await RunAsync("umoci", "repack", "--image", image.Layout + ":latest", image._folder.Path + "/bundle");
        await RunAsync("umoci", "config", "--image", image.Layout + ":latest", "--config.cmd", "/bin/sh", "--config.env", "FROM=image");
        await RunAsync("skopeo", "copy", "-q", $"oci:{image.Layout}:latest", $"docker-archive:{image.DockerArchive}:busybox:latest");
        return image;
    }

    public void Dispose() => _folder.Dispose();

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Programs.Find(program)!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.Should().Be(0, "{0} {1} said {2}{3}", program, string.Join(' ', arguments), await output, await error);
    }
}
