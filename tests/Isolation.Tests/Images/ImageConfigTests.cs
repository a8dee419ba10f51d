using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Images;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Images;

/// <summary>What an image says of its program, as options.</summary>
public class ImageConfigTests
{
    private static TarBuilder Users => new TarBuilder()
        .File("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\n")
        .File("etc/group", "root:x:0:\nstaff:x:50:app\n");

    /// <summary>A layer with a program that says who runs it.</summary>
    private static TarBuilder Program => new TarBuilder().Add("bin/busybox", '0', File.ReadAllBytes(Trees.Busybox), mode: 0x1ed);

    [Theory(Timeout = 30_000)]
    [InlineData("{}", "0 0 /root")]
    [InlineData("""{"User":""}""", "0 0 /root")]
    [InlineData("""{"User":"app"}""", "1000 1001 /home/app")]
    [InlineData("""{"User":"app:staff"}""", "1000 50 /home/app")]
    [InlineData("""{"User":"1000"}""", "1000 1001 /home/app")]
    [InlineData("""{"User":"1234"}""", "1234 0 /")]
    [InlineData("""{"User":"1234:staff"}""", "1234 50 /")]
    [InlineData("""{"User":":staff"}""", "0 50 /root")]
    [InlineData("""{"User":"app","Env":["HOME=/srv"]}""", "1000 1001 /srv")]
    public async Task Users_are_those_of_the_images_own_files(string config, string expected)
    {
        Programs.Require("busybox");
        using var store = new TestStore();
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), config, Users.Build(), Program.Build()));
        var options = image.CreateOptions("/bin/busybox", "sh", "-c", "echo $(busybox id -u) $(busybox id -g) $HOME");
        options.Environment["PATH"] = "/bin";
        (await Sandbox.OutputOf(options)).Should().Be(expected + "\n");
    }

    [Theory(Timeout = 30_000)]
    [InlineData("4294967295", "beyond 4294967294")]
    [InlineData("0:4294967295", "beyond 4294967294")]
    [InlineData("99999999999999999999", "beyond 4294967294")]
    [InlineData("a:b:c", "more than a user and a group")]
    public async Task Users_that_cannot_be_are_an_error(string user, string because)
    {
        using var store = new TestStore();
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), $$"""{"User":"{{user}}"}""", Users.Build()));
        var create = () => image.CreateOptions("run");
        create.Should().Throw<ImageException>().WithMessage($"*{because}*");
    }

    [Fact(Timeout = 60_000)]
    public async Task The_files_of_users_are_those_that_the_program_sees()
    {
        Programs.Require("busybox");
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
            ("a link leads to another layer", [Passwd("usr/users", 4), new TarBuilder().Link("etc/passwd", "../usr/users")], 4),
            ("a link in a circle is nothing", [new TarBuilder().Link("etc/passwd", "passwd")], null),
            ("a link never leads to the host", [new TarBuilder().Link("etc/passwd", store.Path("secret"))], null),
            ("a link never climbs to the host", [new TarBuilder().Link("etc/passwd", "../../../../../../../../../.." + store.Path("secret"))], null),
            ("a named pipe is not waited for", [new TarBuilder().Add("etc/passwd", '6')], null),
        ];
        File.WriteAllText(store.Path("secret"), "app:x:666:0::/:\n");
        foreach (var (why, layers, user) in cases)
        {
            var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), """{"User":"app"}""", [.. layers.Select(static layer => layer.Build()), Program.Build()]));
            var options = image.CreateOptions("/bin/busybox", "id", "-u");
            options.StandardInput = StandardStream.Null;
            if (user is { } id)
            {
                (await Sandbox.OutputOf(options)).Should().Be($"{id}\n", why);
                continue;
            }

            var start = () => IsolatedProcess.RunAsync(options, TestContext.Current.CancellationToken);
            (await start.Should().ThrowAsync<IsolationException>(why)).Which.Path.Should().Be("app", why);
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
        options.Environment.Should().Contain("A", "2").And.Contain("LANG", null).And.NotContainKey("HOME");
        options.User.Name.Should().Be("app");
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
