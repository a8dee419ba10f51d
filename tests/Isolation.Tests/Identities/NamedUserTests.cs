using System.Text;
using FluentAssertions;
using Isolation.Tests.Support;
using Isolation.Users;
using Xunit;

namespace Isolation.Tests.Identities;

/// <summary>Users by name, as the sandbox's own files have them.</summary>
public class NamedUserTests
{
    private const string Passwd =
        "root:x:0:0:root:/root:/bin/sh\n# nobody:x:9:9::/:\nbroken\napp:x:1000:1001:App:/home/app:/bin/sh\n77:x:5:6::/five:\nbad:x:many:1::/:\nlast:x:4294967295:0::/:\n" +
        "1:x:0:0::/root:\nhomeless:x:8:8:::\napp:x:0:0::/second:\nlist:x:38:38:List:/var/list:\r\nöl:x:12:13::/öl:/bin/sh";

    private const string Groups = "root:x:0:app\nstaff:x:50:app\nwheel:x:51:root,app\nno:x:many:app\napps:x:1001:app\nnearly:x:52:apple,ap\nshort:x:9\n5:x:55:\nlast:x:4294967295:app\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("app", 1000, 1001, "/home/app", "0 50 51")]
    [InlineData("app:staff", 1000, 50, "/home/app", "")]
    [InlineData("app:7", 1000, 7, "/home/app", "")]
    [InlineData("app:", 1000, 1001, "/home/app", "0 50 51")]
    [InlineData("1000", 1000, 1001, "/home/app", "0 50 51")]
    [InlineData("0", 0, 0, "/root", "51")]
    [InlineData("01000", 1000, 1001, "/home/app", "0 50 51")]
    [InlineData("1234", 1234, 0, "/", "")]
    [InlineData("1234:staff", 1234, 50, "/", "")]
    [InlineData("1234:short", 1234, 9, "/", "")]
    [InlineData("77", 77, 0, "/", "")]
    [InlineData("1", 1, 0, "/", "")]
    [InlineData("1:5", 1, 5, "/", "")]
    [InlineData(":staff", 0, 50, "/root", "")]
    [InlineData("homeless", 8, 8, "/", "")]
    [InlineData("list", 38, 38, "/var/list", "")]
    [InlineData("öl", 12, 13, "/öl", "")]
    [InlineData("4294967294", 4294967294, 0, "/", "")]
    public void A_name_means_what_the_files_say(string text, uint user, uint group, string home, string others)
    {
        UserName.TryParse(text, out var name, out var problem).Should().BeTrue(problem);
        var found = UserFiles.Find(name, Encoding.UTF8.GetBytes(Passwd), Encoding.UTF8.GetBytes(Groups));
        (found.UserId, found.GroupId, Encoding.UTF8.GetString(found.Home), string.Join(' ', found.OtherGroups)).Should().Be((user, group, home, others));
    }

    [Theory]
    [InlineData("missing", "/etc/passwd")]
    [InlineData("broken", "/etc/passwd")]
    [InlineData("# nobody", "/etc/passwd")]
    [InlineData("-1", "/etc/passwd")]
    [InlineData("app:missing", "/etc/group")]
    [InlineData("bad", "'many'")]
    [InlineData("last", "'4294967295'")]
    [InlineData("app:last", "'4294967295'")]
    [InlineData("app:no", "'many'")]
    public void Who_is_not_there_is_nobody(string text, string because)
    {
        UserName.TryParse(text, out var name, out _).Should().BeTrue();
        var find = () => UserFiles.Find(name, Encoding.UTF8.GetBytes(Passwd), Encoding.UTF8.GetBytes(Groups));
        find.Should().Throw<IsolationException>().Which.Hint.Should().Contain(because);
    }

    [Theory]
    [InlineData("", "*empty Name*")]
    [InlineData("4294967295", "*4294967294*")]
    [InlineData("0:4294967295", "*4294967294*")]
    [InlineData("99999999999999999999", "*4294967294*")]
    [InlineData("a:b:c", "*more than a user and a group*")]
    [InlineData("a\nb", "*character*")]
    [InlineData("a\0b", "*NUL*")]
    public void Names_that_cannot_be_are_refused_before_anything_is_started(string name, string message) => Refused(user => user.Name = name, message);

    [Fact]
    public void A_name_beside_an_id_is_refused() => Refused(user => (user.Name, user.UserId) = ("app", 1000), "*one of them*");

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task A_named_user_is_the_one_of_the_sandboxs_own_files(bool userNamespace)
    {
        var options = Tree(userNamespace, "id -u; id -g; echo $HOME");
        options.User.Name = "app";
        (await Sandbox.OutputOf(options)).Should().Be("1000\n1001\n/home/app\n");
        options.User.Name = "1:staff";
        (await Sandbox.OutputOf(options)).Should().Be("1\n50\n/\n");
        options.User.Name = "1000:7";
        (await Sandbox.OutputOf(options)).Should().Be("1000\n7\n/home/app\n");
        options.User.Name = "root";
        (await Sandbox.OutputOf(options)).Should().Be("0\n0\n/root\n");
        options.Environment["HOME"] = "/mine";
        options.User.ForbidNestedUserNamespaces = userNamespace;
        options.User.Name = "list";
        (await Sandbox.OutputOf(options)).Should().Be("38\n38\n/mine\n");
        options.Environment["HOME"] = null;
        options.Arguments[1] += "; echo ${HOME-none}";
        (await Sandbox.OutputOf(options)).Should().EndWith("\nnone\n");
        if (!userNamespace) return;
        await using var process = await Sandbox.Waiting(options.With(":"));
        HostView.StatusField(process.ProcessId, "Uid").Should().StartWith(Privilege.CanMapEverything ? "38\t38" : $"{Privilege.UserId}\t{Privilege.UserId}");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_named_user_owns_what_it_makes_and_has_no_capability(bool forbid)
    {
        var options = Tree(true, "echo x > /tmp/f; stat -c %u:%g /tmp/f /; busybox grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; busybox kill -0 1 && echo alive");
        options.User.Name = "app";
        options.User.ForbidNestedUserNamespaces = forbid;
        var overflow = File.ReadAllText("/proc/sys/kernel/overflowuid").Trim() + ":" + File.ReadAllText("/proc/sys/kernel/overflowgid").Trim();
        // For an ordinary user there is one id, and so it owns the root as well.
        (await Sandbox.OutputOf(options)).Should().Be(
            $"1000:1001\n{(Privilege.CanMapEverything ? "0:0" : "1000:1001")}\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nalive\n", "{0} is not there", overflow);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_named_user_is_in_their_groups()
    {
        if (!Privilege.CanMapEverything) Subordinate.Require();
        var options = Tree(true, "id -G");
        if (!Privilege.CanMapEverything) options.User.MapSubordinateIds();
        options.User.Name = "app";
        options.User.SupplementaryGroups.Add(99);
        (await Sandbox.OutputOf(options)).Should().Be("1001 0 50 51 99\n");
        options.User.Name = "app:staff";
        (await Sandbox.OutputOf(options)).Should().Be("50 99\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Groups_that_do_not_exist_inside_are_left_out_and_users_refused()
    {
        Assert.SkipUnless(Privilege.CanMapEverything && Privilege.CanAdminister, "Mapping any id needs root.");
        var options = Tree(true, "id -u; id -G");
        (options.User.UserMap, options.User.GroupMap) = ([new(100_000, 0, 1001)], [new(100_000, 0, 51), new(200_000, 1001)]);
        options.User.Name = "app";
        (await Sandbox.OutputOf(options)).Should().Be("1000\n1001 0 50\n");
        options.User.Name = "app:52";
        await Fails(options, "app:52", "The group id is 52, which the GroupMap does not have");
        options.User.Name = "1001";
        await Fails(options, "1001", "The user id is 1001, which the UserMap does not have");
        options.User.Name = "1001:0";
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>().WithMessage("*UserId 1001*");
    }

    [Theory(Timeout = 60_000)]
    [InlineData("mkfifo", false)]
    [InlineData("mkfifo", true)]
    [InlineData("folder", true)]
    [InlineData("device", true)]
    [InlineData("huge", true)]
    public async Task Whatever_is_in_place_of_the_file_stops_nobody(string kind, bool isAsync)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Path + "/passwd";
        switch (kind)
        {
            case "mkfifo":
                using (var made = System.Diagnostics.Process.Start("mkfifo", path)) made.WaitForExit();
                break;
            case "folder":
                Directory.CreateDirectory(path);
                break;
            case "device":
                path = "/dev/zero";
                break;
            case "huge":
                folder.File("passwd", "app:x:1:1::/:\n" + new string('#', 128 * 1024));
                break;
        }

        var options = Tree(true, ":", withUsers: false);
        options.Filesystem.Mounts.Add(new BindMount(path, "/etc/passwd") { AllowDevices = true });
        options.User.Name = "app";
        await Fails(options, "app", kind == "huge" ? "larger than 128 KiB" : "no regular file", isAsync);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_file_of_128_KiB_is_read_whole()
    {
        var options = Tree(true, "id -u", withUsers: false);
        const string last = "\napp:x:1:1::/:\n";
        options.Filesystem.Mounts.Add(new FileMount("/etc/passwd", new string('#', 128 * 1024 - last.Length) + last));
        options.User.Name = "app";
        (await Sandbox.OutputOf(options)).Should().Be("1\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Links_lead_nowhere_but_inside()
    {
        using var folder = new TemporaryFolder();
        var secret = folder.File("secret", "app:x:666:666::/:\n");
        foreach (var target in (string[])[secret, "../../../../../../../.." + secret, "/proc/self/root" + secret, "/proc/1/root" + secret, "/proc/self/fd/0", "passwd"])
        {
            var options = Tree(true, "id -u", withUsers: false);
            options.Filesystem.Mounts.Add(new SymbolicLinkMount("/etc/passwd", target));
            options.User.Name = "app";
            await Fails(options, "app", "does not exist");
        }

        var inside = Tree(true, "id -u", withUsers: false);
        inside.Filesystem.Mounts.Add(new SymbolicLinkMount("/etc/passwd", "../users/list"));
        inside.Filesystem.Mounts.Add(new FileMount("/users/list", Passwd));
        inside.User.Name = "app";
        (await Sandbox.OutputOf(inside)).Should().Be("1000\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_mounted_over_the_hosts_file_counts()
    {
        var options = Sandbox.Shell("id -u");
        options.Filesystem.Mounts.Add(new FileMount("/etc/passwd", "somebody:x:4711:4711::/:\n"));
        options.User.Name = "somebody";
        (await Sandbox.OutputOf(options)).Should().Be("4711\n");
        options.User.Name = "daemon";
        await Fails(options, "daemon", "nobody of that name");
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_files_numbers_do()
    {
        var options = Tree(true, "id -u; id -g; echo $HOME", withUsers: false);
        options.User.Name = "12";
        (await Sandbox.OutputOf(options)).Should().Be("12\n0\n/\n");
        options.User.Name = "12:13";
        (await Sandbox.OutputOf(options)).Should().Be("12\n13\n/\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Start_after_start_with_a_name_works_in_every_way()
    {
        await Task.Run(async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                var options = Tree(true, "id -u; echo $HOME");
                options.UseInit = i % 2 == 0;
                options.User.Name = i % 3 == 0 ? "app" : "list";
                var expected = i % 3 == 0 ? "1000\n/home/app\n" : "38\n/var/list\n";
                (await Sandbox.OutputOf(options)).Should().Be(expected);
                IsolatedProcess.RunAndCaptureText(options, TimeSpan.FromSeconds(20)).StandardOutput.Should().Be(expected);
            }
        }, Token);
    }

    [Fact(Timeout = 30_000)]
    public async Task An_ordinary_user_cannot_be_another_without_a_user_namespace()
    {
        Assert.SkipWhen(Privilege.CanMapEverything, "This user may become anybody.");
        var options = new IsolationOptions("true") { Namespaces = Namespaces.None };
        options.User.Name = "daemon";
        var error = (await FluentActions.Awaiting(() => IsolatedProcess.RunAsync(options, Token)).Should().ThrowAsync<IsolationException>()).Which;
        (error.Step, error.Path).Should().Be(("become the group", "daemon"));
        error.Hint.Should().Contain("Namespaces.User");
    }

    /// <summary>An empty root with a shell and, if wanted, files of users.</summary>
    private static IsolationOptions Tree(bool userNamespace, string script, bool withUsers = true)
    {
        // busybox complains of the lines that are none.
        var options = Trees.EmptyShell(userNamespace, "id() { busybox id \"$@\" 2> /dev/null; }; " + script);
        if (!withUsers) return options;
        options.Filesystem.Mounts.Add(new FileMount("/etc/passwd", Passwd));
        options.Filesystem.Mounts.Add(new FileMount("/etc/group", Groups));
        return options;
    }

    private static void Refused(Action<UserOptions> change, string message)
    {
        var options = new IsolationOptions("true");
        change(options.User);
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>().WithMessage(message).Which.ParamName.Should().Be("User");
    }

    private static async Task Fails(IsolationOptions options, string path, string hint, bool isAsync = true)
    {
        var start = () => isAsync ? IsolatedProcess.RunAsync(options, Token) : Task.Run(() => IsolatedProcess.Run(options), Token);
        var error = (await start.Should().ThrowAsync<IsolationException>()).Which;
        error.Path.Should().Be(path);
        error.Hint.Should().Contain(hint);
    }
}
