using FluentAssertions;
using Isolation.Images;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Images;

/// <summary>Images from other people's tools are imported and run.</summary>
public class RealImageTests
{
    [Fact(Timeout = 120_000)]
    public async Task Every_form_that_skopeo_writes_is_the_same_image()
    {
        using var store = new TestStore();
        var layout = await RealImage.Make(store);
        await RealImage.Convert($"oci:{layout}:1", $"oci-archive:{store.Path("oci.tar")}:name:2");
        await RealImage.Convert($"oci:{layout}:1", $"docker-archive:{store.Path("docker.tar")}:busybox:3");
        await RealImage.Convert($"oci:{layout}:1", $"oci:{store.Path("zstd")}:4", "--dest-compress", "--dest-compress-format", "zstd");
        (string Path, string Name)[] forms = [(layout, "busybox:1"), (store.Path("oci.tar"), "name:2"), (store.Path("docker.tar"), "busybox:3"), (store.Path("zstd"), "zstd:4")];
        var trees = new HashSet<string>();
        var digests = new HashSet<string>();
        for (var i = 0; i < forms.Length; i++)
        {
            using var own = ImageStore.Open(store.Path($"store{i}"));
            var image = await own.ImportAsync(forms[i].Path, cancellationToken: TestContext.Current.CancellationToken);
            image.References.Should().Equal(forms[i].Name);
            image.Layers.Should().HaveCount(3);
            NodeView.IsWhiteout(image.Layers[2] + "/etc/removed").Should().BeTrue();
            digests.Add(image.Digest);
            // A whiteout has no time of its own.
            var content = image.Layers.SelectMany(Trees.Content).Where(static line => !NodeView.IsWhiteout(line.Split(' ')[0]));
            trees.Add(string.Join('\n', content.Select(line => line.Replace(own.Folder, "", StringComparison.Ordinal))));
        }

        digests.Should().ContainSingle();
        trees.Should().ContainSingle();
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Trees.UserNamespaces), MemberType = typeof(Trees))]
    public async Task An_image_runs_as_it_says(bool userNamespace)
    {
        using var store = new TestStore();
        var image = await store.Import(await RealImage.Make(store));
        (await Output(image.CreateOptions())).Should().Be("hello from /srv\n");
        (await Output(image.CreateOptions("ls /; cat /etc/motd; ls /etc; env | sort; echo written > /etc/new; cat /etc/new"))).Should().Be(
            "bin\ndev\netc\nproc\nroot\nsrv\ntmp\nupper\ngroup\nmotd\npasswd\nGREETING=hello\nHOME=/root\n"
            + "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/srv\nSHLVL=1\nwritten\n");
        (await Output(image.CreateOptions("ls /etc"))).Should().Be("group\nmotd\npasswd\n", "what a sandbox writes is its own");

        async Task<string> Output(IsolationOptions options)
        {
            options.StandardInput = StandardStream.Null;
            if (!userNamespace) options.Namespaces &= ~Namespaces.User;
            return await Sandbox.OutputOf(options);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task An_images_user_and_a_working_directory_that_it_lacks_are_in_effect()
    {
        using var store = new TestStore();
        var layout = await RealImage.Make(store);
        await RealImage.Run("umoci", "config", "--image", layout + ":1", "--config.user", "app", "--config.workingdir", "/not/there");
        var options = (await store.Import(layout)).CreateOptions("id -u; id -g; id -un; pwd; echo $HOME; cat /etc/motd");
        options.StandardInput = StandardStream.Null;
        (await Sandbox.OutputOf(options)).Should().Be("1000\n1000\napp\n/not/there\n/srv\nupper\n");
    }

    [Fact(Timeout = 120_000)]
    public async Task Whiteouts_and_opaque_folders_hide_in_a_running_sandbox()
    {
        RealImage.Require();
        using var store = new TestStore();
        store.RequireUserAttributes();
        var busybox = new TarBuilder().Add("bin/busybox", '0', File.ReadAllBytes(Trees.Busybox), 0x1ed).Link("bin/sh", "busybox").Build();
        var lower = new TarBuilder().File("a/1").File("b/1").File("b/2").File("c/1").File("d", "old").File("e/1").Build();
        var upper = new TarBuilder().File("a/.wh.1").File("a/2").File("b/.wh..wh..opq").File("b/3").File(".wh.c").File("c/2").File("d", "new").Link("e", "a").Build();
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), busybox, lower, upper));
        foreach (var userNamespace in Privilege.CanAdminister ? (bool[])[true, false] : [true])
        {
            var options = image.CreateOptions("sh", "-c", "busybox find /a /b /c /d /e /e/ | busybox sort | busybox tr '\\n' ' '; busybox cat /d");
            options.StandardInput = StandardStream.Null;
            if (!userNamespace) options.Namespaces &= ~Namespaces.User;
            (await Sandbox.OutputOf(options)).Should().Be("/a /a/2 /b /b/3 /c /c/2 /d /e /e/ /e/2 new", "with a user namespace: {0}", userNamespace);
        }
    }
}
