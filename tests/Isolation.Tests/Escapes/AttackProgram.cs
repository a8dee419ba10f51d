using System.Diagnostics;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Escapes;

/// <summary>attack.c, built on the spot. An instance for a test class.</summary>
public sealed class AttackProgram : IDisposable
{
    private const string Inside = "/tmp/attack";

    private readonly TemporaryFolder _folder = new("attack-");
    private readonly bool _built;

    public AttackProgram()
    {
        foreach (var compiler in (string[])["gcc", "cc", "clang"])
        {
            if (Programs.Find(compiler) is not { } found) continue;
            File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
            var source = System.IO.Path.Combine(AppContext.BaseDirectory, "Escapes", "attack.c");
            var start = new ProcessStartInfo(found, ["-O1", "-o", Path, source]) { RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var messages = process.StandardError.ReadToEnd();
            process.WaitForExit();
            process.ExitCode.Should().Be(0, messages);
            _built = true;
            return;
        }
    }

    /// <summary>On the host.</summary>
    internal string Path => _folder.Path + "/attack";

    /// <summary>A sandbox with the strictest options, in which the program makes an attack.</summary>
    internal IsolationOptions Options(EscapeMode mode, params IEnumerable<string> words)
    {
        Assert.SkipUnless(_built, "no C compiler (Debian: gcc libc6-dev)");
        return mode.In(new IsolationOptions(Inside, words) { StandardInput = StandardStream.Null, Filesystem = { Mounts = { new BindMount(Path, Inside) } } });
    }

    /// <summary>What it reaches under these options, and the same without any namespace.</summary>
    internal async Task<string[]> Attack(IsolationOptions options)
    {
        Place(options);
        return (await Sandbox.OutputOf(options)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Without a tree of its own, the program is where the host has it.</summary>
    internal void Place(IsolationOptions options)
    {
        if ((options.Namespaces & Namespaces.Mount) != 0) return;
        options.FileName = Path;
        options.Filesystem.Mounts.Clear();
    }

    public void Dispose() => _folder.Dispose();
}
