namespace Isolation.Tests.Support;

/// <summary>A folder of the host. It lies below /tmp, which a sandbox sees only without <see cref="FilesystemOptions.PrivateTmp"/>.</summary>
internal sealed class TemporaryFolder(string name = "") : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory($"isolation-{name}").FullName;

    internal string File(string name, string content = "")
    {
        var path = System.IO.Path.Combine(Path, name);
        System.IO.File.WriteAllText(path, content);
        return path;
    }

    internal string Script(string name, string content)
    {
        var path = File(name, "#!/bin/sh\n" + content + "\n");
        System.IO.File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        return path;
    }

    public void Dispose()
    {
        // overlayfs leaves a folder that its owner may not list
        foreach (var closed in new DirectoryInfo(Path).EnumerateDirectories("work").SelectMany(static folder => folder.EnumerateDirectories("work")))
            closed.UnixFileMode = (UnixFileMode)0b111_000_000;
        Directory.Delete(Path, recursive: true);
    }
}
