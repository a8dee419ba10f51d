using FluentAssertions;
using Isolation.Tests.Escapes;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>Roots that somebody has prepared with links to places outside. Nothing may be made or shown there, however they are used.</summary>
public class HostileRootTests
{
    private const string Masked = "$B head -c 1 /proc/interrupts | $B wc -c; $B ls -d /proc/self/stat; $B stat -c %t:%T /proc/interrupts";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Every way to use a folder as a root, as root with and without a user namespace, and as an ordinary user.</summary>
    public static TheoryData<TreeKind, bool> Folders
    {
        get
        {
            var data = new TheoryData<TreeKind, bool>();
            foreach (var kind in (TreeKind[])[TreeKind.Folder, TreeKind.WritableFolder, TreeKind.CopyOnWrite])
                foreach (var userNamespace in Privilege.CanAdminister ? (bool[])[true, false] : [true])
                    data.Add(kind, userNamespace);
            return data;
        }
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Folders))]
    [EscapeAttempt(5)]
    public Task Attempt_05_a_link_in_the_place_of_dev_is_an_error(TreeKind kind, bool userNamespace) => IsAnError("dev", kind, userNamespace);

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Folders))]
    [EscapeAttempt(7)]
    public Task Attempt_07_a_link_in_the_place_of_proc_is_an_error(TreeKind kind, bool userNamespace) => IsAnError("proc", kind, userNamespace);

    private static async Task IsAnError(string place, TreeKind kind, bool userNamespace)
    {
        foreach (var text in Traps)
        {
            using var tree = new AttackedTree(kind, userNamespace);
            using var trap = new Trap(tree.Path, place, text);
            var error = await trap.Refused(tree.Options(Masked));
            (error.Errno, error.Path).Should().Be((40 /* ELOOP */, "/" + place), "of the link to {0}", text);
            error.Hint.Should().Contain("symbolic link");
        }
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Folders))]
    public async Task A_link_in_the_place_of_another_private_folder_leads_nowhere_outside(TreeKind kind, bool userNamespace)
    {
        foreach (var place in (string[])["tmp", "run", "var/tmp"])
        {
            foreach (var text in Traps)
            {
                using var tree = new AttackedTree(kind, userNamespace);
                Directory.CreateDirectory(tree.Path + "/var");
                using var trap = new Trap(tree.Path, place, text);
                var output = await trap.Sprung(tree.Options($"echo x > /{place}/file; {Masked}"));
                if (output is not null) output.Should().EndWith("0\n/proc/self/stat\n1:3\n", "of the link from {0} to {1}", place, text);
            }
        }
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Folders))]
    public async Task No_mount_gets_outside_by_a_link_on_its_way(TreeKind kind, bool userNamespace)
    {
        using var source = new TemporaryFolder();
        var file = source.File("file", "bound\n");
        Func<string, Mount>[] mounts =
        [
            target => new BindMount(source.Path, target), target => new BindMount(file, target), target => new BindMount(source.Path, target) { Writable = true },
            static target => new TmpfsMount(target), static target => new FileMount(target, "x"), static target => new DirectoryMount(target),
            static target => new SymbolicLinkMount(target, "/etc"), static target => new DeniedPath(target), target => new OverlayMount(target, source.Path),
            static target => new ProcMount(target),
        ];
        foreach (var text in Traps)
        {
            using var tree = new AttackedTree(kind, userNamespace);
            using var trap = new Trap(tree.Path, "data", text);
            foreach (var below in (string[])["", "/new/deep"])
            {
                foreach (var mount in mounts)
                {
                    var options = tree.Options(Masked);
                    options.Filesystem.Mounts.Add(mount("/data" + below));
                    var output = await trap.Sprung(options);
                    output?.Should().EndWith("0\n/proc/self/stat\n1:3\n", "of {0} by the link to {1}", options.Filesystem.Mounts[0], text);
                }
            }
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Folders))]
    public async Task Links_that_circle_are_an_error(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        File.CreateSymbolicLink(tree.Path + "/a", "b");
        File.CreateSymbolicLink(tree.Path + "/b", "/a");
        foreach (var target in (string[])["/a", "/a/below", "/b/x/y"])
        {
            var options = tree.Options(":");
            options.Filesystem.Mounts.Add(new TmpfsMount(target));
            var start = () => IsolatedProcess.RunAsync(options, Token);
            (await start.Should().ThrowAsync<IsolationException>()).Which.Errno.Should().Be(40 /* ELOOP */);
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Folders))]
    public async Task An_honest_link_such_as_var_run_works(TreeKind kind, bool userNamespace)
    {
        foreach (var link in (string[])["/run", "../run", "/../run", "./../etc/../run"])
        {
            using var tree = new AttackedTree(kind, userNamespace);
            using var source = new TemporaryFolder();
            source.File("file", "bound\n");
            Directory.CreateDirectory(tree.Path + "/var");
            File.CreateSymbolicLink(tree.Path + "/var/run", link);
            (await tree.Attack("$B cat /var/run/app/file /run/app/file /run/file; $B readlink /var/run", options =>
            {
                options.Filesystem.Mounts.Add(new BindMount(source.Path, "/var/run/app"));
                options.Filesystem.Mounts.Add(new FileMount("/var/run/file", "from memory\n"));
            })).Should().Be($"bound\nbound\nfrom memory\n{link}\n");
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Folders))]
    [EscapeAttempt(6)]
    public async Task Attempt_06_a_null_device_of_the_roots_own_masks_nothing(TreeKind kind, bool userNamespace)
    {
        using var outside = new TemporaryFolder();
        var secret = outside.File("secret", "secret\n");
        foreach (var prepare in (Action<string>[])[path => File.CreateSymbolicLink(path, secret), path => File.WriteAllText(path, "no device\n"), path => Directory.CreateDirectory(path)])
        {
            foreach (var privateDev in (bool[])[true, false])
            {
                using var tree = new AttackedTree(kind, userNamespace);
                prepare(tree.Path + "/dev/null");
                const string look = "$B cat /proc/interrupts /proc/keys | $B wc -c; $B stat -c %t:%T /proc/interrupts";
                (await tree.Attack(look, static options => options.Filesystem.MaskKernelFiles = false)).Should().NotStartWith("0\n");
                (await tree.Attack(look, options => options.Filesystem.PrivateDev = privateDev)).Should().Be("0\n1:3\n");
            }
        }

        File.ReadAllText(secret).Should().Be("secret\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Folders))]
    public async Task A_file_where_a_folder_is_expected_is_an_error_that_names_it(TreeKind kind, bool userNamespace)
    {
        foreach (var place in (string[])["/dev", "/proc", "/tmp", "/run"])
        {
            if (kind == TreeKind.CopyOnWrite && place == "/run") continue; // keeps its own
            using var tree = new AttackedTree(kind, userNamespace);
            Directory.Delete(tree.Path + place);
            File.WriteAllText(tree.Path + place, "");
            if (kind == TreeKind.CopyOnWrite && place == "/tmp") continue; // likewise
            await Refused(tree.Options(":"), place);
        }

        using var other = new AttackedTree(kind, userNamespace);
        using var source = new TemporaryFolder();
        Mount[] mounts =
        [
            new TmpfsMount("/etc/issue"), new TmpfsMount("/etc/issue/below"), new BindMount(source.Path, "/etc/issue"), new BindMount(source.File("file"), "/etc"),
            new FileMount("/etc", "x"), new ProcMount("/etc/issue"), new OverlayMount("/etc/issue", source.Path), KernelMount.DevPts("/etc/issue"), new FileMount("/etc/issue/x", ""),
        ];
        foreach (var mount in mounts)
        {
            var options = other.Options(":");
            options.Filesystem.Mounts.Add(mount);
            await Refused(options, mount.Target);
        }

        static async Task Refused(IsolationOptions options, string path)
        {
            var start = () => IsolatedProcess.RunAsync(options, Token);
            var error = (await start.Should().ThrowAsync<IsolationException>("{0} is not of the right kind", path)).Which;
            path.Should().StartWith(error.Path);
            error.Hint.Should().Contain("A folder goes over a folder", "that is what is wrong: {0}", error.Message);
        }
    }

    /// <summary>What links say: the folder outside is {0}.</summary>
    private static string[] Traps =>
    [
        "{0}", "{0}/inner", "/..{0}", "../../../../../../../../../..{0}", "/proc/self/root{0}", "/proc/1/cwd{0}", "/proc/self/fd/3", "/proc/thread-self/root/..{0}",
        "hop", "/dev/../..{0}", "/", "..", "/dev", "/proc", "/proc/sys/kernel", "/nothing/there", "/etc", "/etc/issue",
    ];

    /// <summary>A link in a root that, seen from the host, may lead outside, and the folder it leads to.</summary>
    private sealed class Trap : IDisposable
    {
        private readonly TemporaryFolder _outside = new();
        private readonly string _root;
        private readonly string[] _before;
        private readonly string[] _inRoot;

        internal Trap(string root, string place, string text)
        {
            _root = root;
            Directory.CreateDirectory(_outside.Path + "/inner");
            _outside.File("inner/canary", "untouched");
            File.CreateSymbolicLink(root + "/hop", "hop2");
            File.CreateSymbolicLink(root + "/hop2", _outside.Path);
            var link = root + "/" + place;
            if (Directory.Exists(link)) Directory.Delete(link);
            var leads = string.Format(null, text, _outside.Path);
            File.CreateSymbolicLink(link, leads);
            // Armed: whoever followed it by its path on the host would get outside.
            if (text == "{0}" || text == "hop" && !place.Contains('/', StringComparison.Ordinal)) Spring(link);
            _before = Trees.Content(_outside.Path);
            _inRoot = Directory.GetFileSystemEntries(root + "/etc");
        }

        /// <summary>Makes something by the link, as a set-up that goes by paths would: outside it is seen.</summary>
        private void Spring(string link)
        {
            var before = Trees.Content(_outside.Path);
            Directory.CreateDirectory(link + "/made");
            Trees.Content(_outside.Path).Should().NotEqual(before);
            Directory.Delete(link + "/made");
        }

        /// <summary>What the program says, or null where it does not start; either way nothing outside has changed.</summary>
        internal async Task<string?> Sprung(IsolationOptions options)
        {
            try
            {
                var result = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
                return result.StandardOutput;
            }
            catch (IsolationException)
            {
                return null;
            }
            finally
            {
                Trees.Content(_outside.Path).Should().Equal(_before, "nothing is made outside of {0}", _root);
                if (options.Filesystem.Root.Access != RootAccess.Writable) Directory.GetFileSystemEntries(_root + "/etc").Should().Equal(_inRoot);
            }
        }

        internal async Task<IsolationException> Refused(IsolationOptions options)
        {
            var start = () => IsolatedProcess.RunAndCaptureTextAsync(options, Token);
            var error = (await start.Should().ThrowAsync<IsolationException>()).Which;
            Trees.Content(_outside.Path).Should().Equal(_before);
            return error;
        }

        public void Dispose() => _outside.Dispose();
    }
}
