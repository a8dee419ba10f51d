using System.Globalization;
using System.Security.Cryptography;
using FluentAssertions;
using Isolation.Interop;
using Isolation.Tests.Escapes;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>Ways out of the tree. Each is shown to lead out of a weaker one first.</summary>
public class EscapeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The classic way out of chroot(2): a working directory that stays outside, and "..".</summary>
    private static string ClimbOut(string then) => $"""
        cd /tmp && $B mkdir -p x
        $B nsenter -rx -w. ../bin/busybox sh -c 'cd ../../../../../..; {then}'
        """;

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(9)]
    public async Task Attempt_09_chroot_and_dot_dot_lead_nowhere(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        using var host = new TemporaryFolder();
        host.File("canary", "the host's\n");
        var jail = $"$B mkdir -p /tmp/jail/bin /tmp/jail/tmp && $B cp $B /tmp/jail/bin && echo outside > /tmp/canary && $B chroot /tmp/jail {Trees.Busybox} sh -c \"$ATTACK\"";
        (await tree.Attack(jail, options =>
        {
            options.Security.Capabilities = CapabilitySets.All;
            options.Environment["ATTACK"] = ClimbOut("./bin/busybox cat ./tmp/canary");
        })).Should().Be("outside\n", "a chroot is no wall for who may chroot");

        // The same from the sandbox's own root, even with every capability.
        var attack = ClimbOut($"./bin/busybox cat .{host.Path}/canary; cat /proc/1/root{host.Path}/canary /..{host.Path}/canary");
        foreach (var capabilities in (bool[])[true, false])
            (await tree.Attack(attack + "; :", options => options.Security.Capabilities = capabilities ? CapabilitySets.All : CapabilitySets.None)).Should().BeEmpty();
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(9)]
    public async Task Attempt_09_nothing_is_above_the_root(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        const string look = "for d in / /.. /tmp/../.. /proc/self/root/.. /proc/1/root/../.. /proc/self/cwd/../..; do $B stat -c '%d:%i' $d; done | $B sort -u | $B wc -l";
        (await tree.Attack("$B mount -t tmpfs t /; " + look, static options => options.Security.Capabilities = CapabilitySets.All)).Should().Be("2\n", "what is above would be seen");
        (await tree.Attack("$B mount -t tmpfs t /; $B umount /..; " + look)).Should().Be("1\n");
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(3)]
    public async Task Attempt_03_no_descriptor_of_the_host_is_a_working_directory(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        using var host = new TemporaryFolder();
        host.File("canary", "the host's\n");
        Directory.CreateDirectory(host.Path + "/denied");
        File.WriteAllText(host.Path + "/denied/canary", "denied\n");
        using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(Kernel.open(host.Path, Linux.O_PATH), ownsHandle: true);
        var number = (int)handle.DangerousGetHandle();

        // Without a mount namespace the directory is entered: the attack works where nothing is in its way.
        var weak = new IsolationOptions("/bin/sh", "-c", "cat canary") { Namespaces = Namespaces.None, InheritedHandles = { [3] = handle }, WorkingDirectory = $"/proc/self/fd/{number}" };
        (await Sandbox.OutputOf(weak)).Should().Be("the host's\n");

        var numbers = Enumerable.Range(3, 62).Append(number).Distinct();
        var indirect = kind is TreeKind.Folder or TreeKind.WritableFolder or TreeKind.CopyOnWrite;
        foreach (var n in numbers)
        {
            await Refused($"/proc/self/fd/{n}");
            await Refused($"/dev/fd/{n}");
            if (!indirect) continue;
            File.Delete(tree.Path + "/work");
            File.CreateSymbolicLink(tree.Path + "/work", $"/proc/self/fd/{n}");
            await Refused("/work");
            await Refused("/work/.");
        }

        await Refused("/proc/self/cwd");
        await Refused("/proc/1/root");

        async Task Refused(string directory)
        {
            var options = tree.Options("$B cat canary; $B pwd");
            options.WorkingDirectory = directory;
            options.InheritedHandles[3] = handle;
            options.Filesystem.Mounts.Add(new BindMount(host.Path, "/tmp/host"));
            options.Filesystem.Mounts.Add(new DeniedPath("/tmp/host/denied"));
            var start = () => IsolatedProcess.RunAndCaptureTextAsync(options, Token);
            (await start.Should().ThrowAsync<IsolationException>("{0} is no directory of the tree", directory)).Which.Step.Should().Contain("working directory");
        }
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    public async Task No_descriptor_is_a_program_that_is_denied(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        using var host = new TemporaryFolder();
        var program = host.Path + "/ash";
        File.Copy(Trees.Busybox, program);
        Directory.CreateDirectory(host.Path + "/folder");
        File.Copy(program, host.Path + "/folder/ash");
        (await tree.Attack("/tmp/host/ash -c 'echo ran'", Bind)).Should().Be("ran\n");
        foreach (var name in Enumerable.Range(3, 62).SelectMany(static n => (string[])[$"/proc/self/fd/{n}", $"/proc/self/fd/{n}/ash"]))
        {
            var options = tree.Options("");
            options.FileName = name;
            options.Arguments.RemoveAt(0);
            options.Arguments[1] = "echo ran";
            Bind(options);
            options.Filesystem.Mounts.Add(new DeniedPath("/tmp/host/ash"));
            options.Filesystem.Mounts.Add(new DeniedPath("/tmp/host/folder"));
            try
            {
                var result = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
                result.StandardOutput.Should().BeEmpty("{0} is below a cover", name);
                result.StandardError.Should().NotContain("applet not found", "{0} is below a cover", name);
            }
            catch (IsolationException e)
            {
                e.Step.Should().Be("execute the program");
            }
        }

        void Bind(IsolationOptions options) => options.Filesystem.Mounts.Add(new BindMount(host.Path, "/tmp/host"));
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    public async Task What_is_denied_cannot_be_uncovered_by_the_root_of_a_namespace_made_inside(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        using var host = new TemporaryFolder();
        Directory.CreateDirectory(host.Path + "/denied");
        File.WriteAllText(host.Path + "/denied/canary", "secret\n");
        File.SetUnixFileMode(host.Path, (UnixFileMode)0b111_101_101);
        const string attack = """
            $B umount -l /tmp/host/denied
            $B mkdir -p /dev/shm/bind /dev/shm/over; $B mount -o bind /tmp/host /dev/shm/bind; $B mount -t overlay -o lowerdir=/tmp/host:/tmp o /dev/shm/over
            $B cat /tmp/host/denied/canary /dev/shm/bind/denied/canary /dev/shm/over/denied/canary
            $B umount -l /tmp/host; $B umount -l /tmp; $B cat /tmp/denied/canary /tmp/host/denied/canary; :
            """;
        (await tree.Attack(attack, options =>
        {
            Deny(options);
            options.Security.Capabilities = CapabilitySets.All;
        })).Should().Contain("secret\n", "whoever keeps capabilities can take the cover away");
        (await tree.Attack($"$B unshare -U -r -m $B sh -c 'echo nested; {attack}'", options =>
        {
            Deny(options);
            // User 0 without capabilities may not map itself: user_namespaces(7), CAP_SETFCAP.
            options.User.UserId = options.User.GroupId = 1000;
        })).Should().Be("nested\n");

        void Deny(IsolationOptions options)
        {
            options.Filesystem.Mounts.Add(new BindMount(host.Path, "/tmp/host"));
            options.Filesystem.Mounts.Add(new DeniedPath("/tmp/host/denied"));
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(2)]
    public async Task Attempt_02_the_executable_of_no_process_inside_is_a_file_of_the_host_that_could_be_written(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        var before = Hash(Environment.ProcessPath!);
        // CVE-2019-5736: hold the executable of a process, and write to it once the process has ended. Against one's own copy it works.
        const string attack = """
            exec 3< /proc/$VICTIM/exe && $B kill -9 $VICTIM; wait
            (echo overwritten > /proc/self/fd/3) && $B cat /proc/self/fd/3; :
            """;
        (await tree.Attack("$B cp $B /tmp/busybox; /tmp/busybox sleep 1000 & VICTIM=$!; while [ $($B readlink /proc/$VICTIM/exe) != /tmp/busybox ]; do :; done; " + attack))
            .Should().Be("overwritten\n");
        foreach (var capabilities in (bool[])[true, false])
        {
            // Process 1 is the library's own.
            (await tree.Attack("(echo x >> /proc/1/exe) && echo wrote; (exec 3< /proc/1/exe && echo x > /proc/self/fd/3) && echo wrote; :", options =>
            {
                options.UseInit = true;
                options.Security.Capabilities = capabilities ? CapabilitySets.All : CapabilitySets.None;
            })).Should().BeEmpty();
        }

        // As an image's entry point, directly and by a link or an interpreter of its own.
        var entries = new List<string> { "/proc/self/exe", "/proc/thread-self/exe", "/proc/1/exe", "/dev/../proc/self/exe" };
        if (kind is TreeKind.Folder or TreeKind.WritableFolder or TreeKind.CopyOnWrite)
        {
            File.CreateSymbolicLink(tree.Path + "/entry", "/proc/self/exe");
            File.WriteAllText(tree.Path + "/script", "#!/proc/self/exe\n");
            File.SetUnixFileMode(tree.Path + "/script", (UnixFileMode)0b111_101_101);
            entries.AddRange(["/entry", "/script"]);
        }

        foreach (var entry in entries)
        {
            var self = tree.Options("");
            self.FileName = entry;
            self.Arguments.Clear();
            (await IsolatedProcess.RunAsync(self, Token)).ToString().Should().Be("exit code 126", "what {0} executes is the stage, which does nothing without a plan", entry);
        }

        Hash(Environment.ProcessPath!).Should().Be(before);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(2)]
    public async Task Attempt_02_the_executable_of_the_init_is_sealed_memory(TreeKind kind, bool userNamespace)
    {
        Assert.SkipUnless(Privilege.CanAdminister, "The init cannot be looked at by ordinary users.");
        using var tree = new AttackedTree(kind, userNamespace);
        var options = tree.Options("");
        options.UseInit = true;
        options.Arguments.Clear();
        foreach (var argument in (string[])["sh", "-c"]) options.Arguments.Add(argument);
        options.Arguments.Add("echo ready; read -r line");
        options.StandardInput = options.StandardOutput = StandardStream.Pipe;
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        (await process.ReadLine()).Should().Be("ready");
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{process.ProcessId}/exe");
        new FileInfo(path).LinkTarget.Should().StartWith("/memfd:");
        const int getSeals = 1034, sealed_ = 0xf; // F_GET_SEALS; F_SEAL_SEAL, SHRINK, GROW, WRITE
        using var handle = File.OpenHandle(path);
        (Kernel.fcntl((int)handle.DangerousGetHandle(), getSeals) & sealed_).Should().Be(sealed_);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(10)]
    public async Task Attempt_10_no_descriptor_but_the_standard_streams_is_open(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        using var host = new TemporaryFolder();
        (await tree.Attack("cd /proc/self/fd; echo *", options =>
        {
            options.Filesystem.Mounts.Add(new BindMount(host.Path, "/tmp/host"));
            options.Filesystem.Mounts.Add(new FileMount("/tmp/file", "x"));
            options.Filesystem.Mounts.Add(new TmpfsMount("/tmp/deep/down"));
        })).Should().Be("0 1 2 3\n", "3 is the listing's own");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(10)]
    public async Task Attempt_10_no_folder_is_open_when_the_program_is_executed_that_its_path_does_not_lead_to(TreeKind kind, bool userNamespace)
    {
        // What closes itself at exec is still there while the kernel looks for an interpreter, which a script or a program of an image names.
        using var tree = new AttackedTree(kind, userNamespace);
        using var host = new TemporaryFolder();
        Directory.CreateDirectory(host.Path + "/denied");
        var options = tree.Options(":");
        foreach (var mount in (Mount[])
            [
                new BindMount(host.Path, "/tmp/host"), new BindMount(host.Path, "/tmp/again") { Writable = true }, new DeniedPath("/tmp/host/denied"), new FileMount("/tmp/file", "x"),
                new TmpfsMount("/tmp/deep/down"), new DirectoryMount("/tmp/folder"), new SymbolicLinkMount("/tmp/link", "/"), new OverlayMount("/tmp/over", host.Path), new ProcMount("/tmp/proc"),
            ])
            options.Filesystem.Mounts.Add(mount);
        foreach (var useInit in (bool[])[false, true])
        {
            options.UseInit = useInit;
            await using var process = await IsolatedProcess.StartSuspendedAsync(options, Token);
            var program = process.GetProcessIds()[^1];
            new FileInfo($"/proc/{program}/exe").LinkTarget.Should().StartWith("/memfd:", "the stage is at its last step");
            var open = HostView.Descriptors(program);
            open.Should().NotBeEmpty();
            foreach (var (number, target) in open)
            {
                if (!Directory.Exists($"/proc/{program}/fd/{number}")) continue;
                Place($"/proc/{program}/fd/{number}").Should().Be(Place($"/proc/{program}/root{target}"), "descriptor {0} is {1}", number, target);
                Place($"/proc/{program}/fd/{number}").Should().NotBe(Place(host.Path), "places of different trees are told apart");
            }
        }

        // Which mount, and what of it.
        static (string Mount, ulong Inode) Place(string path)
        {
            using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(Kernel.open(path, Linux.O_PATH), ownsHandle: true);
            var number = (int)handle.DangerousGetHandle();
            Kernel.statx(number, Linux.STATX_INO, out var status).Should().Be(0);
            return (File.ReadLines($"/proc/self/fdinfo/{number}").First(static line => line.StartsWith("mnt_id:", StringComparison.Ordinal)), status.stx_ino);
        }
    }

    private static string Hash(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));
}
