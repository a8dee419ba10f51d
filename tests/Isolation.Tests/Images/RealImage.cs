using System.Diagnostics;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Images;

/// <summary>Debian's busybox as an image of two layers, made by umoci and converted by skopeo: tools that nobody here wrote.</summary>
internal static class RealImage
{
    private static readonly string[] s_tools = ["busybox", "umoci", "skopeo"];

    /// <summary>Skips where the tools are missing, but fails in CI, which promises them.</summary>
    internal static void Require()
    {
        if (s_tools.All(static tool => Programs.Find(tool) is not null)) return;
        const string reason = "The programs busybox, umoci and skopeo are needed (Debian: busybox-static umoci skopeo).";
        if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail(reason);
        Assert.Skip(reason);
    }

    /// <summary>An OCI layout in a folder; its tag is "1".</summary>
    internal static async Task<string> Make(TestStore store)
    {
        Require();
        var layout = store.Path("busybox");
        var (lower, upper) = (Directory.CreateDirectory(store.Path("lower")).FullName, Directory.CreateDirectory(store.Path("upper")).FullName);
        foreach (var folder in (string[])["bin", "etc", "srv", "tmp", "root"]) Directory.CreateDirectory($"{lower}/{folder}");
        File.Copy(Trees.Busybox, lower + "/bin/busybox");
        foreach (var name in (string[])["sh", "ls", "cat", "id", "env", "pwd"]) File.CreateSymbolicLink($"{lower}/bin/{name}", "busybox");
        File.WriteAllText(lower + "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/srv:/bin/sh\n");
        File.WriteAllText(lower + "/etc/group", "root:x:0:\napp:x:1000:\n");
        File.WriteAllText(lower + "/etc/motd", "lower\n");
        File.WriteAllText(lower + "/etc/removed", "lower\n");
        File.WriteAllText(upper + "/motd", "upper\n");
        await Run("umoci", "init", "--layout", layout);
        await Run("umoci", "new", "--image", layout + ":1");
        string[] rootless = Environment.IsPrivilegedProcess ? [] : ["--rootless"];
        await Run("umoci", ["insert", .. rootless, "--image", layout + ":1", lower, "/"]);
        await Run("umoci", ["insert", .. rootless, "--image", layout + ":1", upper + "/motd", "/etc/motd"]);
        await Run("umoci", ["insert", .. rootless, "--image", layout + ":1", "--whiteout", "/etc/removed"]);
        await Run("umoci", "config", "--image", layout + ":1", "--config.entrypoint", "/bin/sh", "--config.entrypoint", "-c", "--config.cmd", "echo $GREETING from $PWD",
            "--config.env", "GREETING=hello", "--config.workingdir", "/srv", "--config.stopsignal", "SIGINT");
        return layout;
    }

    /// <summary>Copies an image to another form of archive.</summary>
    internal static Task Convert(string from, string to, params string[] options) =>
        Run("skopeo", ["--insecure-policy", "copy", "--quiet", .. options, from, to]);

    internal static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.Should().Be(0, "{0} {1} says {2}{3}", program, string.Join(' ', arguments), await output, await error);
    }
}
