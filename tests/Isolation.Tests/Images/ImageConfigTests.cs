using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Images;
using Xunit;

namespace Isolation.Tests.Images;

/// <summary>What an image says of its program, as options.</summary>
public class ImageConfigTests
{
    private static TarBuilder Users => new TarBuilder()
        .File("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n# nobody\nbroken\napp:x:1000:1001:App:/home/app:/bin/sh\n77:x:5:6::/five:\nbad:x:many:1::/:\nlast:x:4294967295:0::/:")
        .File("etc/group", "root:x:0:\nstaff:x:50:app\n");

    [Theory(Timeout = 30_000)]
    [InlineData("{}", "run", 0, 0, "/root")]
    [InlineData("""{"User":""}""", "run", 0, 0, "/root")]
    [InlineData("""{"User":"app"}""", "run", 1000, 1001, "/home/app")]
    [InlineData("""{"User":"app:staff"}""", "run", 1000, 50, "/home/app")]
    [InlineData("""{"User":"app:7"}""", "run", 1000, 7, "/home/app")]
    [InlineData("""{"User":"1000"}""", "run", 1000, 1001, "/home/app")]
    [InlineData("""{"User":"1234"}""", "run", 1234, 0, "/")]
    [InlineData("""{"User":"1234:staff"}""", "run", 1234, 50, "/")]
    [InlineData("""{"User":"77"}""", "run", 77, 0, "/")]
    [InlineData("""{"User":":staff"}""", "run", 0, 50, "/root")]
    [InlineData("""{"User":"4294967294"}""", "run", 4294967294, 0, "/")]
    public async Task Users_are_those_of_the_images_own_files(string config, string command, uint user, uint group, string home)
    {
        using var store = new TestStore();
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), config, Users.Build()));
        var options = image.CreateOptions(command);
        (options.User.UserId, options.User.GroupId, options.Environment["HOME"]).Should().Be((user, group, home));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("missing", "user 'missing'*not in its /etc/passwd")]
    [InlineData("app:missing", "group 'missing'*not in its /etc/group")]
    [InlineData("4294967295", "cannot be")]
    [InlineData("99999999999999999999", "cannot be")]
    [InlineData("0:4294967295", "cannot be")]
    [InlineData("bad", "'many' is no number")]
    [InlineData("last", "cannot be")]
    [InlineData("-1", "user '-1'")]
    public async Task Users_that_are_not_there_are_an_error(string user, string because)
    {
        using var store = new TestStore();
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), $$"""{"User":"{{user}}"}""", Users.Build()));
        var create = () => image.CreateOptions("run");
        create.Should().Throw<ImageException>().WithMessage($"*{because}*");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_files_of_users_are_those_that_a_sandbox_would_see()
    {
        using var store = new TestStore();
        store.RequireUserAttributes();
        (string Why, TarBuilder[] Layers, uint? User)[] cases =
        [
            ("the upper file covers the lower", [Passwd("etc/passwd", 1), Passwd("etc/passwd", 2)], 2),
            ("a whiteout hides it", [Passwd("etc/passwd", 1), new TarBuilder().File("etc/.wh.passwd")], null),
            ("a whiteout hides its folder", [Passwd("etc/passwd", 1), new TarBuilder().File(".wh.etc")], null),
            ("an opaque folder hides it", [Passwd("etc/passwd", 1), new TarBuilder().File("etc/.wh..wh..opq")], null),
            ("a file in place of the folder hides it", [Passwd("etc/passwd", 1), new TarBuilder().File("etc")], null),
            ("it is there again", [Passwd("etc/passwd", 1), new TarBuilder().File(".wh.etc"), Passwd("etc/passwd", 3)], 3),
            ("a lower layer's other files stay", [Passwd("etc/passwd", 1), new TarBuilder().File("etc/other")], 1),
            ("a link leads to another layer", [Passwd("usr/users", 4), new TarBuilder().Link("etc/passwd", "../usr/users")], 4),
            ("a link may be absolute, and climb as it likes", [Passwd("usr/users", 5), new TarBuilder().Link("etc/passwd", "/a/../../../b"), new TarBuilder().Folder("a").Link("b", "usr/users")], 5),
            ("a folder may be a link", [Passwd("usr/etc/passwd", 6), new TarBuilder().Link("etc", "usr/etc")], 6),
            ("a link in a circle is nothing", [new TarBuilder().Link("etc/passwd", "passwd")], null),
            ("a link never leads to the host", [new TarBuilder().Link("etc/passwd", store.Path("secret"))], null),
            ("a link never climbs to the host", [new TarBuilder().Link("etc/passwd", "../../../../../../../../../.." + store.Path("secret"))], null),
            ("a named pipe is not waited for", [new TarBuilder().Add("etc/passwd", '6')], null),
        ];
        File.WriteAllText(store.Path("secret"), "app:x:666:0::/:\n");
        foreach (var (why, layers, user) in cases)
        {
            var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), """{"User":"app"}""", [.. layers.Select(static layer => layer.Build())]));
            var create = () => image.CreateOptions("run").User.UserId;
            if (user is null) create.Should().Throw<ImageException>(why).WithMessage("*user 'app'*");
            else create().Should().Be(user, why);
        }

        static TarBuilder Passwd(string path, uint id) => new TarBuilder().File(path, $"app:x:{id}:0::/:\n");
    }

    [Theory(Timeout = 30_000)]
    [InlineData("""{"Entrypoint":["e","1"],"Cmd":["c"]}""", "", "e 1 c")]
    [InlineData("""{"Entrypoint":["e","1"],"Cmd":["c"]}""", "x y", "e 1 x y")]
    [InlineData("""{"Cmd":["c","d"]}""", "", "c d")]
    [InlineData("""{"Cmd":["c","d"]}""", "x", "x")]
    [InlineData("""{"Entrypoint":["e"]}""", "", "e")]
    public async Task The_command_takes_the_place_of_the_images_own(string config, string command, string expected)
    {
        using var store = new TestStore();
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), config, Users.Build()));
        var options = image.CreateOptions(command.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        string.Join(' ', [options.FileName, .. options.Arguments]).Should().Be(expected);
    }

    [Fact(Timeout = 30_000)]
    public async Task An_image_without_command_needs_one()
    {
        using var store = new TestStore();
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), Users.Build()));
        var create = () => image.CreateOptions();
        create.Should().Throw<ArgumentException>().WithMessage("*no program to run*");
    }

    [Fact(Timeout = 30_000)]
    public async Task Everything_that_an_image_says_can_be_read()
    {
        using var store = new TestStore();
        const string config = """
            {"Env":["A=1","B=x=y","A=2","empty=","nothing","=x"],"WorkingDir":"srv/./data/../www","StopSignal":"SIGUSR1","User":"app",
             "Labels":{"k":"v"},"Entrypoint":null,"Cmd":["c"],"Unknown":{"x":1}}
            """;
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), config, Users.Build()));
        image.Config.Environment.Should().Equal(new Dictionary<string, string> { ["A"] = "2", ["B"] = "x=y", ["empty"] = "" });
        (image.Config.WorkingDirectory, image.Config.User, image.Config.Architecture).Should().Be(("/srv/www", "app", ImageBuilder.Machine));
        image.Config.StopSignal.Should().Be((PosixSignal)10);
        image.Config.Labels.Should().Equal(new Dictionary<string, string> { ["k"] = "v" });
        var options = image.CreateOptions();
        options.WorkingDirectory.Should().Be("/srv/www");
        options.Environment.Should().Contain("A", "2").And.Contain("LANG", null).And.Contain("HOME", "/home/app");
        options.Environment["PATH"].Should().Be("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    }

    [Theory(Timeout = 30_000)]
    [InlineData("9", 9)]
    [InlineData("SIGRTMIN+3", 37)]
    [InlineData("rtmax-1", 63)]
    [InlineData("quit", -3)]
    [InlineData("SIGNONSENSE", -4)]
    [InlineData("65", -4)]
    [InlineData("", -4)]
    public async Task Stop_signals_are_understood_as_docker_does(string text, int signal)
    {
        using var store = new TestStore();
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), $$"""{"StopSignal":"{{text}}"}""", Users.Build()));
        image.Config.StopSignal.Should().Be((PosixSignal)signal);
    }
}
