using FluentAssertions;
using Isolation.Images.Interop;
using Isolation.Interop;

namespace Isolation.Tests.Images;

/// <summary>A file as stat(1) sees it, which knows more than .NET.</summary>
internal static class NodeView
{
    /// <summary>In stat's format; of a link itself.</summary>
    internal static string Stat(string path, string format)
    {
        using var stat = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("stat", ["-c", format, path]) { RedirectStandardOutput = true })!;
        var text = stat.StandardOutput.ReadToEnd().TrimEnd('\n');
        stat.WaitForExit();
        stat.ExitCode.Should().Be(0);
        return text;
    }

    internal static bool IsWhiteout(string path) => Files.Stat(Linux.AT_FDCWD, Files.Name(path), out var found) == 0 && found.IsWhiteout();

    /// <summary>An extended attribute; null when there is none.</summary>
    internal static byte[]? Attribute(string path, string name)
    {
        var file = Files.Open(Linux.AT_FDCWD, Files.Name(path), Linux.O_RDONLY | Linux.O_NOFOLLOW);
        file.Should().BeGreaterThanOrEqualTo(0);
        var value = new byte[1024];
        var length = Files.GetAttribute(file, Files.Name(name), value);
        _ = Kernel.close(file);
        return length < 0 ? null : value[..length];
    }
}
