using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>
/// A sandbox to be attacked from inside. Scripts run in any tree alike: their tools are those of a static busybox, <c>$B</c>. What an
/// attack prints it has reached; what it could not do it says on standard error, which nobody looks at.
/// </summary>
internal sealed class AttackedTree : IDisposable
{
    private readonly TreeKind _kind;
    private readonly bool _userNamespace;
    private readonly TemporaryFolder? _folder;

    internal AttackedTree(TreeKind kind, bool userNamespace)
    {
        Programs.Require("busybox");
        (_kind, _userNamespace) = (kind, userNamespace);
        if (kind is not (TreeKind.Folder or TreeKind.WritableFolder or TreeKind.CopyOnWrite)) return;
        _folder = Trees.MakeRoot();
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101); // programs may be another user's
    }

    /// <summary>Every kind of root, as root with and without a user namespace, and as an ordinary user.</summary>
    public static TheoryData<TreeKind, bool> Every
    {
        get
        {
            var data = new TheoryData<TreeKind, bool>();
            foreach (var kind in Enum.GetValues<TreeKind>())
                foreach (var userNamespace in Privilege.CanAdminister ? (bool[])[true, false] : [true])
                    data.Add(kind, userNamespace);
            return data;
        }
    }

    /// <summary>On the host, the folder that is the root.</summary>
    internal string Path => _folder!.Path;

    internal IsolationOptions Options(string script)
    {
        var options = new IsolationOptions(Trees.Busybox, "sh", "-c", script) { StandardInput = StandardStream.Null, Environment = { ["B"] = Trees.Busybox } };
        options.Security.Seccomp = null; // the tree is to hold by itself
        if (!_userNamespace) options.Namespaces &= ~Namespaces.User;
        options.Filesystem.Root = _kind switch
        {
            TreeKind.HostReadOnly => Root.HostReadOnly,
            TreeKind.Folder => Root.Directory(Path),
            TreeKind.WritableFolder => Root.Directory(Path, RootAccess.Writable),
            TreeKind.CopyOnWrite => Root.Directory(Path, RootAccess.CopyOnWrite),
            _ => Root.Empty(),
        };
        if (_kind == TreeKind.Empty) options.Filesystem.Mounts.Add(new BindMount(Trees.Busybox, Trees.Busybox));
        return options;
    }

    /// <summary>What the attack prints under strict options, or under what they are changed to.</summary>
    internal async Task<string> Attack(string script, Action<IsolationOptions>? change = null)
    {
        var options = Options(script);
        change?.Invoke(options);
        var result = await IsolatedProcess.RunAndCaptureTextAsync(options, TestContext.Current.CancellationToken);
        result.ExitStatus.ToString().Should().Be("exit code 0", "of what it says: {0}{1}", result.StandardOutput, result.StandardError);
        return result.StandardOutput;
    }

    public void Dispose() => _folder?.Dispose();
}
