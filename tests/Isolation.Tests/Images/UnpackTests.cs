using System.Text;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Images;

/// <summary>What becomes of a layer's entries.</summary>
public class UnpackTests
{
    [Fact(Timeout = 30_000)]
    public async Task Files_folders_and_links_keep_mode_time_and_content()
    {
        using var store = new TestStore();
        var layer = await store.Unpack(new TarBuilder()
            .Folder("./", 0x1c9).Folder("bin/", 0x1ed).File("bin/tool", "#!/bin/sh\n", 0x9ed).Folder("closed", 0x140).File("closed/secret", "x", 0)
            .Link("bin/sh", "/usr/bin/../bin/tool").HardLink("bin/same", "bin/tool").Add("pipe", '6', mode: 0x1b0));
        NodeView.Stat(layer, "%a %F").Should().Be("711 directory");
        NodeView.Stat(layer + "/bin/tool", "%a %s %h %Y").Should().Be($"4755 10 2 {new DateTimeOffset(TarBuilder.Time).ToUnixTimeSeconds()}");
        NodeView.Stat(layer + "/bin/same", "%i").Should().Be(NodeView.Stat(layer + "/bin/tool", "%i"));
        NodeView.Stat(layer + "/closed", "%a").Should().Be("500");
        NodeView.Stat(layer + "/closed/secret", "%a %s").Should().Be("0 1");
        NodeView.Stat(layer + "/bin/sh", "%N %Y").Should().Contain("/usr/bin/../bin/tool").And.EndWith(" 1580702706");
        NodeView.Stat(layer + "/pipe", "%F %a").Should().Be("fifo 660");
        foreach (var folder in (string[])["", "/bin", "/closed"])
            Directory.GetLastWriteTimeUtc(layer + folder).Should().Be(TarBuilder.Time, "'{0}' has been made before what is in it", folder);
    }

    [Fact(Timeout = 30_000)]
    public async Task Folders_may_be_left_out_come_late_and_come_again()
    {
        using var store = new TestStore();
        var layer = await store.Unpack(new TarBuilder()
            .File("a/b/c", "1").Folder("a", 0x16d).Folder("x").File("a/b/d", "2").Folder("a/b", 0x149).File("a/b/e", "3").Folder("a", 0x140).File("./a//b/./f", "4"));
        NodeView.Stat(layer + "/a", "%a %Y").Should().Be("500 1580702706");
        NodeView.Stat(layer + "/a/b", "%a %Y").Should().Be("511 1580702706");
        string.Concat("cdef".Select(name => File.ReadAllText($"{layer}/a/b/{name}"))).Should().Be("1234");
    }

    [Fact(Timeout = 30_000)]
    public async Task Whiteouts_and_opaque_folders_are_in_overlayfss_form()
    {
        using var store = new TestStore();
        store.RequireUserAttributes();
        var layer = await store.Unpack(new TarBuilder()
            .File("etc/.wh.gone").File(".wh.all").File("opaque/.wh..wh..opq").File("opaque/new")
            .File(".wh.file").File("file").File("later").File(".wh.later").Folder("tree").File("tree/x").File(".wh.tree")
            .File(".wh.made").File("made/x").File(".wh..wh.plnk/1"[..10]));
        NodeView.IsWhiteout(layer + "/etc/gone").Should().BeTrue();
        NodeView.IsWhiteout(layer + "/all").Should().BeTrue();
        File.Exists(layer + "/file").Should().BeTrue("a whiteout hides the layers below, not its own");
        File.Exists(layer + "/later").Should().BeTrue();
        foreach (var folder in (string[])["opaque", "tree", "made"])
        {
            NodeView.Attribute($"{layer}/{folder}", "user.overlay.opaque").Should().Equal("y"u8.ToArray(), "of {0}", folder);
            if (Privilege.CanAdminister) NodeView.Attribute($"{layer}/{folder}", "trusted.overlay.opaque").Should().Equal("y"u8.ToArray());
        }

        NodeView.Attribute(layer + "/etc", "user.overlay.opaque").Should().BeNull();
        Directory.EnumerateFileSystemEntries(layer, ".wh.*", SearchOption.AllDirectories).Should().BeEmpty();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_layer_that_hides_the_whole_root_hides_all_layers_below()
    {
        using var store = new TestStore();
        store.RequireUserAttributes();
        byte[][] layers = [new TarBuilder().File("low").Build(), new TarBuilder().File("middle").File(".wh..wh..opq").Build(), new TarBuilder().File("high").Build()];
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), layers));
        image.Layers.Select(static layer => string.Join(',', Directory.GetFiles(layer).Select(Path.GetFileName))).Should().Equal("middle", "high");
    }

    [Fact(Timeout = 30_000)]
    public async Task Extended_attributes_are_kept_whatever_bytes_they_hold()
    {
        using var store = new TestStore();
        store.RequireUserAttributes();
        byte[] value = [0, 0xff, (byte)'\n', (byte)'=', 0xc3];
        var layer = await store.Unpack(new TarBuilder()
            .Pax(("SCHILY.xattr.user.own", value), ("SCHILY.xattr.user.overlay.redirect", "/etc"u8.ToArray()), ("SCHILY.xattr.trusted.overlay.metacopy", []))
            .File("file").Pax(("SCHILY.xattr.user.own", "f"u8.ToArray())).Folder("folder").File("plain"));
        NodeView.Attribute(layer + "/file", "user.own").Should().Equal(value);
        NodeView.Attribute(layer + "/folder", "user.own").Should().Equal("f"u8.ToArray());
        NodeView.Attribute(layer + "/plain", "user.own").Should().BeNull();
        NodeView.Attribute(layer + "/file", "user.overlay.redirect").Should().BeNull("overlayfs would follow it");
        NodeView.Attribute(layer + "/file", "trusted.overlay.metacopy").Should().BeNull();
    }

    [Fact(Timeout = 30_000)]
    public async Task Capabilities_of_files_are_kept_for_root()
    {
        Assert.SkipUnless(Privilege.CanAdminister, "Only root may give capabilities to files.");
        using var store = new TestStore();
        byte[] netRaw = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        var layer = await store.Unpack(new TarBuilder().Pax(("SCHILY.xattr.security.capability", netRaw)).File("ping", mode: 0x1ed, user: 5));
        NodeView.Attribute(layer + "/ping", "security.capability").Should().Equal(netRaw);
    }

    [Fact(Timeout = 30_000)]
    public async Task Owners_and_devices_are_kept_for_root()
    {
        Assert.SkipUnless(Privilege.CanAdminister && Privilege.CanMapEverything, "Only root may give files away and make devices.");
        using var store = new TestStore();
        var layer = await store.Unpack(new TarBuilder()
            .File("file", mode: 0xded, user: 1234, group: 2_000_000).Link("link", "x").Add("null", '3', mode: 0x1b6, device: (1, 3)).Add("disk", '4', mode: 0x180, device: (259, 70000))
            .Add("high", '0', [], change: header => TarBuilder.Binary(header, 108, 8, 4294967294)));
        NodeView.Stat(layer + "/file", "%u:%g %a").Should().Be("1234:2000000 6755");
        NodeView.Stat(layer + "/null", "%F %t:%T %a").Should().Be("character special file 1:3 666");
        NodeView.Stat(layer + "/disk", "%F %t:%T").Should().Be("block special file 103:11170");
        NodeView.Stat(layer + "/high", "%u").Should().Be("4294967294");
    }

    [Fact(Timeout = 30_000)]
    public async Task An_ordinary_user_gets_no_devices_and_no_other_users_rights()
    {
        Assert.SkipWhen(Privilege.CanAdminister, "Root can do it all.");
        using var store = new TestStore();
        var layer = await store.Unpack(new TarBuilder()
            .File("roots", mode: 0xded).File("others", mode: 0xded, user: 7, group: 8).Add("null", '3', mode: 0x1b6, device: (1, 3)));
        NodeView.Stat(layer + "/roots", "%u %a").Should().Be($"{Privilege.UserId} 6755");
        NodeView.Stat(layer + "/others", "%u %a").Should().Be($"{Privilege.UserId} 755");
        NodeView.IsWhiteout(layer + "/null").Should().BeTrue("what a lower layer has there must not show");
    }

    [Fact(Timeout = 30_000)]
    public async Task Names_of_any_bytes_and_lengths_are_kept()
    {
        using var store = new TestStore();
        var part = new string('n', 255);
        var path = string.Join('/', Enumerable.Repeat(part, 10)) + "/é";
        var target = new string('t', 4000);
        byte[] latin = [0xe9, (byte)'\n', 0x1b];
        var builder = new TarBuilder().Pax("path", path).File("short", "pax")
            .Add("././@LongLink", 'L', Encoding.UTF8.GetBytes("gnu/" + part + "\0")).Add("././@LongLink", 'K', Encoding.UTF8.GetBytes(target + "\0")).Link("short", "short")
            .Add("x", '0', [], change: header => latin.CopyTo(header, 0))
            .Add("name", '0', "prefix"u8.ToArray(), change: header => "some/folder"u8.CopyTo(header.AsSpan(345)));
        var layer = await store.Unpack(builder);
        File.ReadAllText($"{layer}/{path}").Should().Be("pax");
        File.ReadAllText($"{layer}/some/folder/name").Should().Be("prefix");
        new FileInfo($"{layer}/gnu/{part}").LinkTarget.Should().Be(target);
        using var find = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("find", [layer, "-maxdepth", "1", "-type", "f", "-printf", "%f"])
        {
            RedirectStandardOutput = true, StandardOutputEncoding = Encoding.Latin1,
        })!;
        find.StandardOutput.ReadToEnd().Should().Be("é\n\u001b");
    }

    [Theory(Timeout = 60_000)]
    [InlineData("--format=gnu")]
    [InlineData("--format=posix", "--sparse-version=0.0")]
    [InlineData("--format=posix", "--sparse-version=0.1")]
    [InlineData("--format=posix", "--sparse-version=1.0")]
    public async Task Sparse_files_of_every_form_that_tar_writes_are_whole_and_stay_sparse(params string[] format)
    {
        using var store = new TestStore();
        var tree = Directory.CreateDirectory(store.Path("tree")).FullName;
        var random = new Random(1);
        using (var file = File.Create(tree + "/sparse"))
        {
            var piece = new byte[5000];
            for (var i = 0; i < 60; i++)
            {
                random.NextBytes(piece);
                file.Position = i * 1_000_003L * (i + 1);
                file.Write(piece);
            }

            file.SetLength(5L << 30);
        }

        File.WriteAllText(tree + "/after", "after");
        using (File.Create(tree + "/hole")) { }
        using (var hole = File.OpenWrite(tree + "/hole")) hole.SetLength(1 << 20);
        RunTool("tar", ["-C", tree, "-cf", store.Path("layer.tar"), "--sparse", .. format, "sparse", "hole", "after"]);
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), File.ReadAllBytes(store.Path("layer.tar"))));
        var layer = image.Layers[0];
        new FileInfo(layer + "/sparse").Length.Should().Be(5L << 30);
        RunTool("cmp", ["-n", "4000000000", tree + "/sparse", layer + "/sparse"]);
        RunTool("cmp", [tree + "/hole", layer + "/hole"]);
        long.Parse(NodeView.Stat(layer + "/sparse", "%b"), System.Globalization.CultureInfo.InvariantCulture).Should().BeLessThan(4 << 20 >> 9);
        File.ReadAllText(layer + "/after").Should().Be("after");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_is_unpacked_is_what_tar_unpacks()
    {
        using var store = new TestStore();
        RunTool("tar", ["-C", "/usr", "-czf", store.Path("layer.tgz"), "--exclude=bin/[a-fh-z]*", "bin"]);
        var reference = Directory.CreateDirectory(store.Path("reference")).FullName;
        RunTool("tar", ["-C", reference, "-xpf", store.Path("layer.tgz")]);
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), File.ReadAllBytes(store.Path("layer.tgz"))));
        const string listing = "find . -mindepth 1 -printf '%p %y %m %s %l %U %G %T@ %n\\n' | grep -v ' d ' | sort; find . -type f | sort | xargs sha256sum";
        Listing(image.Layers[0]).Should().Be(Listing(reference)).And.NotBeEmpty();

        static string Listing(string folder)
        {
            using var sh = System.Diagnostics.Process.Start(
                new System.Diagnostics.ProcessStartInfo("sh", ["-c", listing]) { RedirectStandardOutput = true, WorkingDirectory = folder })!;
            return sh.StandardOutput.ReadToEnd();
        }
    }

    private static void RunTool(string program, string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        process.WaitForExit();
        process.ExitCode.Should().Be(0, "of {0} {1}", program, string.Join(' ', arguments));
    }
}
