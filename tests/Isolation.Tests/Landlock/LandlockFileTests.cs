using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>Each right to files by itself: used without a policy, denied by one that handles it, and allowed again by a rule.</summary>
public sealed class LandlockFileTests : IDisposable
{
    private TemporaryFolder? _folder;

    public void Dispose() => _folder?.Dispose();

    private const string Make = "set -e; mkdir \"$1/dir\"; echo content > \"$1/file\"; cp /bin/true \"$1/program\"";

    [Theory(Timeout = 30_000)]
    [InlineData(LandlockAccess.Execute, "\"$1/program\"")]
    [InlineData(LandlockAccess.WriteFile, "echo more >> \"$1/file\"")]
    [InlineData(LandlockAccess.ReadFile, "cat \"$1/file\"")]
    [InlineData(LandlockAccess.ReadDir, "ls \"$1/dir\"")]
    [InlineData(LandlockAccess.RemoveDir, "rmdir \"$1/dir\"")]
    [InlineData(LandlockAccess.RemoveFile, "rm -f \"$1/file\"")]
    [InlineData(LandlockAccess.MakeChar, "mknod \"$1/new\" c 0 0")] // an overlay's whiteout, which needs no privilege
    [InlineData(LandlockAccess.MakeDir, "mkdir \"$1/new\"")]
    [InlineData(LandlockAccess.MakeReg, ": > \"$1/new\"")]
    [InlineData(LandlockAccess.MakeFifo, "mkfifo \"$1/new\"")]
    [InlineData(LandlockAccess.MakeSym, "ln -s file \"$1/new\"")]
    [InlineData(LandlockAccess.Refer, "ln \"$1/file\" \"$1/dir/new\"")]
    [InlineData(LandlockAccess.Truncate, "truncate -s 0 \"$1/file\"")]
    [InlineData(LandlockAccess.MakeSock, """
        python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1] + "/new")' "$1"
        """)]
    public async Task Every_right_can_be_denied_and_allowed(LandlockAccess right, string script)
    {
        if (right == LandlockAccess.MakeSock) Programs.Require("python3");
        var policy = Landlocked.Nothing with { HandledAccess = right };
        Landlocked.Require(policy.RequiredAbi);
        policy = policy.WithInstalled(right);
        await Landlocked.Succeeds(Landlocked.Alone(null, script, New()));
        await Landlocked.IsDenied(Landlocked.Alone(policy, script, New()));
        await Landlocked.Succeeds(Landlocked.Alone(policy.AllowPath(New(), right), script, _folder!.Path));
    }

    [Fact(Timeout = 30_000)]
    public async Task So_can_block_devices()
    {
        Programs.Require("mknod");
        var made = System.Diagnostics.Process.Start("mknod", [New() + "/device", "b", "7", "99"]);
        await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipUnless(made.ExitCode == 0, "Making a block device needs CAP_MKNOD on the machine itself.");
        var policy = Landlocked.Nothing with { HandledAccess = LandlockAccess.MakeBlock };
        Landlocked.Require(policy.RequiredAbi);
        var path = _folder!.Path;
        const string script = "mv \"$1/device\" \"$1/new\" && mv \"$1/new\" \"$1/device\"";
        await Landlocked.Succeeds(Landlocked.Alone(null, script, path));
        await Landlocked.IsDenied(Landlocked.Alone(policy, script, path));
        await Landlocked.Succeeds(Landlocked.Alone(policy.AllowPath(path, LandlockAccess.MakeBlock), script, path));
    }

    [Fact(Timeout = 30_000)]
    public async Task So_can_controlling_a_device()
    {
        Programs.Require("python3");
        var policy = Landlocked.Nothing with { HandledAccess = LandlockAccess.IoctlDev };
        Landlocked.Require(policy.RequiredAbi);
        const string script = "python3 -c 'import fcntl; fcntl.ioctl(open(\"/dev/urandom\"), 0x80045200, bytes(4))'"; // RNDGETENTCNT
        await Landlocked.Succeeds(Landlocked.Alone(null, script));
        await Landlocked.IsDenied(Landlocked.Alone(policy, script));
        await Landlocked.Succeeds(Landlocked.Alone(policy.AllowPath("/dev/urandom", LandlockAccess.IoctlDev), script));
    }

    [Theory(Timeout = 30_000)]
    [InlineData(LandlockAccess.Read, "ls \"$1\" && cat \"$1/file\"", "echo more >> \"$1/file\"")]
    [InlineData(LandlockAccess.ReadExecute, "cat \"$1/file\" && \"$1/program\"", "rm \"$1/file\"")]
    [InlineData(LandlockAccess.Write, "echo more >> \"$1/file\" && mv \"$1/file\" \"$1/dir/file\"", "ls \"$1\"")]
    [InlineData(LandlockAccess.ReadWrite, "ls \"$1\" && rm \"$1/file\" && mkdir \"$1/new\"", "\"$1/program\"")]
    public async Task The_common_sets_of_rights_are_what_they_are_called(LandlockAccess rights, string allowed, string denied)
    {
        Landlocked.Require(2); // where things can be moved from folder to folder
        await Landlocked.Succeeds(Landlocked.Alone(null, denied, New()));
        var folder = New();
        var policy = Policy(rights, folder);
        await Landlocked.IsDenied(Landlocked.Alone(policy, denied, folder));
        await Landlocked.Succeeds(Landlocked.Alone(policy, allowed, folder));

        LandlockPolicy Policy(LandlockAccess rights, string path) => rights switch
        {
            LandlockAccess.Read => Landlocked.Everything.AllowRead(path),
            LandlockAccess.ReadExecute => Landlocked.Everything.AllowReadExecute(path),
            LandlockAccess.Write => Landlocked.Everything.AllowWrite(path),
            _ => Landlocked.Everything.AllowReadWrite(path),
        };
    }

    [Fact(Timeout = 30_000)]
    public async Task What_no_rule_allows_is_closed_though_its_parts_are_named()
    {
        Landlocked.Require(1);
        var folder = New();
        const string script = "cat \"$1/dir/../file\"";
        await Landlocked.Succeeds(Landlocked.Alone(null, script, folder));
        await Landlocked.IsDenied(Landlocked.Alone(Landlocked.Everything.AllowRead(folder + "/dir"), script, folder));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_rule_for_a_file_gives_what_files_have()
    {
        Landlocked.Require(1);
        var folder = New();
        var policy = Landlocked.Everything.AllowReadWrite(folder + "/file", "/dev/null");
        await Landlocked.Succeeds(Landlocked.Alone(policy, "cat \"$1/file\" > /dev/null && echo more > \"$1/file\"", folder));
        await Landlocked.IsDenied(Landlocked.Alone(policy, "rm -f \"$1/file\"", folder));
        File.Exists(folder + "/file").Should().BeTrue();
    }

    [Fact(Timeout = 30_000)]
    public async Task Rules_for_the_same_folder_add_up()
    {
        Landlocked.Require(1);
        var folder = New();
        var policy = Landlocked.Everything.AllowPath(folder, LandlockAccess.ReadFile).AllowPath(folder, LandlockAccess.ReadDir);
        await Landlocked.Succeeds(Landlocked.Alone(policy, "ls \"$1\" && cat \"$1/file\"", folder));
    }

    [Fact(Timeout = 30_000)]
    public async Task Paths_are_those_of_the_sandbox()
    {
        Landlocked.Require(1);
        Programs.Require("busybox");
        var folder = New();
        const string script = "/bin/busybox cat /data/file && ! /bin/busybox ls /data/dir && ! /bin/busybox touch /other/new";
        foreach (var policy in (LandlockPolicy?[])[null, LandlockPolicy.ForAbi(1).AllowReadExecute("/bin").AllowPath("/data", LandlockAccess.ReadFile)])
        {
            var options = new IsolationOptions("/bin/busybox", "sh", "-c", script)
            {
                StandardInput = StandardStream.Null,
                StandardError = StandardStream.Null,
                Filesystem =
                {
                    Root = Root.Empty(),
                    Mounts =
                    {
                        new BindMount(Programs.Find("busybox")!, "/bin/busybox"), new BindMount(folder, "/data"), new DirectoryMount("/other"),
                    },
                },
                Security = { Landlock = policy },
            };
            var result = await IsolatedProcess.RunAndCaptureTextAsync(options, TestContext.Current.CancellationToken);
            result.StandardOutput.Should().Be("content\n");
            result.ExitStatus.ExitCode.Should().Be(policy is null ? 1 : 0);
        }

    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_inherited_stays_open()
    {
        Landlocked.Require(1);
        using var file = File.OpenHandle(New() + "/file");
        var options = Landlocked.Alone(Landlocked.Everything, "cat <&7 && ! cat /proc/self/fd/7 2>&1");
        options.InheritedHandles[7] = file;
        (await Sandbox.OutputOf(options)).Should().StartWith("content\ncat: /proc/self/fd/7: Permission denied");
    }

    /// <summary>A folder with something of everything, in place of the last one.</summary>
    private string New()
    {
        _folder?.Dispose();
        _folder = new TemporaryFolder();
        IsolatedProcess.Run(Landlocked.Alone(null, Make, _folder.Path), TimeSpan.FromSeconds(20)).ExitCode.Should().Be(0);
        return _folder.Path;
    }
}
