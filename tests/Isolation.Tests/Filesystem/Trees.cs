using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>Roots that are not the host's: a small folder with a shell, and the options to look around in it.</summary>
internal static class Trees
{
    internal const string Busybox = "/bin/busybox";

    /// <summary>As root with and without a user namespace; an ordinary user has no choice.</summary>
    public static TheoryData<bool> UserNamespaces => Privilege.CanAdminister ? [true, false] : [true];

    /// <summary>A folder that holds a static shell and the places that a root needs.</summary>
    internal static TemporaryFolder MakeRoot(bool complete = true)
    {
        Programs.Require("busybox");
        var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.Path + "/bin");
        File.Copy(Busybox, folder.Path + "/bin/busybox");
        foreach (var name in (string[])["sh", "ls", "cat", "id", "mount", "touch", "mkdir", "rm", "mv", "stat", "readlink", "grep", "echo", "dd", "ps", "chroot", "ln", "test", "wc"])
            File.CreateSymbolicLink($"{folder.Path}/bin/{name}", "busybox");
        Directory.CreateDirectory(folder.Path + "/etc");
        File.WriteAllText(folder.Path + "/etc/issue", "the image's own\n");
        if (!complete) return folder;
        foreach (var name in (string[])["dev", "proc", "tmp", "run", "sys"]) Directory.CreateDirectory($"{folder.Path}/{name}");
        return folder;
    }

    internal static IsolationOptions Shell(Root root, bool userNamespace, string script)
    {
        var options = Sandbox.Shell(script);
        options.Filesystem.Root = root;
        if (!userNamespace) options.Namespaces &= ~Namespaces.User;
        return options;
    }

    /// <summary>An empty root with a shell in it.</summary>
    internal static IsolationOptions EmptyShell(bool userNamespace, string script)
    {
        Programs.Require("busybox");
        var options = Shell(Root.Empty(), userNamespace, script);
        options.Filesystem.Mounts.Add(new BindMount(Busybox, "/bin/busybox"));
        options.Filesystem.Mounts.Add(new SymbolicLinkMount("/bin/sh", "busybox"));
        options.Environment["PATH"] = "/bin";
        options.Arguments[1] = "cat() { busybox cat \"$@\"; }; ls() { busybox ls \"$@\"; }; stat() { busybox stat \"$@\"; }; " + script;
        return options;
    }

    /// <summary>Everything in a folder, with type, size and time of change: to see that nothing was touched.</summary>
    internal static string[] Content(string folder) =>
        [.. Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(static path => $"{path} {File.GetAttributes(path)} {(File.Exists(path) ? new FileInfo(path).Length : 0)} {File.GetLastWriteTimeUtc(path):O}")];
}
