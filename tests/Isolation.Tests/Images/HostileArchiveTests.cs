using System.Text;
using FluentAssertions;
using Isolation.Images;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Images;

/// <summary>Archives made to do harm end in an error that names the entry, and nothing of them is left, in the store or outside it.</summary>
public class HostileArchiveTests
{
    [Theory(Timeout = 30_000)]
    [InlineData("/etc/passwd", "absolute name")]
    [InlineData("../outside", "'..' in its name")]
    [InlineData("a/../../outside", "'..' in its name")]
    [InlineData("a/..", "'..' in its name")]
    [InlineData("..", "'..' in its name")]
    [InlineData(".wh...", "reserved")]
    [InlineData("a/.wh...", "reserved")]
    [InlineData(".wh..", "reserved")]
    [InlineData(".wh.", "reserved")]
    [InlineData(".wh.a/b", "reserved")]
    [InlineData("", "no name")]
    [InlineData("./", "named like the root")]
    public async Task A_name_that_leads_out_or_means_nothing_is_refused(string name, string because)
    {
        using var store = new TestStore();
        await store.Refuses(new TarBuilder().Folder("a").File(name), because);
    }

    [Fact(Timeout = 30_000)]
    public async Task Nothing_goes_through_a_link_wherever_it_leads()
    {
        using var outside = new TemporaryFolder();
        foreach (var target in (string[])[outside.Path, "../../../../../../../../.." + outside.Path, "folder", "."])
        {
            using var store = new TestStore();
            await store.Refuses(new TarBuilder().Folder("folder").Link("link", target).File("link/file"), "entry 'link/file': needs a folder");
            await store.Refuses(new TarBuilder().Folder("folder").Link("link", target).Folder("link/folder"), "needs a folder");
            await store.Refuses(new TarBuilder().Folder("folder").Link("link", target).Folder("link"), "needs a folder");
            await store.Refuses(new TarBuilder().Folder("folder").Link("link", target).File("link/.wh.x"), "needs a folder");
            await store.Refuses(new TarBuilder().Folder("folder").Link("link", target).File("link/.wh..wh..opq"), "needs a folder");
            await store.Refuses(new TarBuilder().Folder("folder").Link("link", target).File("file").HardLink("link/file", "file"), "needs a folder");
            await store.Refuses(new TarBuilder().Folder("folder").Link("a", "b").Link("b", target).File("a/b/c"), "needs a folder");
            await store.Refuses(new TarBuilder().Folder("folder").Link("link", target).File("link"), "comes twice");
        }

        Directory.GetFileSystemEntries(outside.Path).Should().BeEmpty();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_hard_link_reaches_only_what_the_layer_has()
    {
        using var outside = new TemporaryFolder();
        var secret = outside.File("secret", "secret");
        using var store = new TestStore();
        await store.Refuses(new TarBuilder().HardLink("link", secret), "absolute name");
        await store.Refuses(new TarBuilder().HardLink("link", "../../../../../../../.." + secret), "'..' in its name");
        await store.Refuses(new TarBuilder().Link("out", outside.Path).HardLink("link", "out/secret"), "needs a folder");
        await store.Refuses(new TarBuilder().HardLink("link", "missing"), "not in this layer");
        await store.Refuses(new TarBuilder().HardLink("link", "missing/file"), "not in this layer");
        await store.Refuses(new TarBuilder().Folder("folder").HardLink("link", "folder"), "is a folder");
        await store.Refuses(new TarBuilder().File(".wh.gone").HardLink("link", "gone"), "not in this layer");
        await store.Refuses(new TarBuilder().HardLink("link", "./"), "the root");
        await store.Refuses(new TarBuilder().File("a").File("b").HardLink("a", "b"), "comes twice");
        NodeView.Stat(secret, "%h").Should().Be("1");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_hard_link_to_a_link_is_another_name_of_the_link()
    {
        using var store = new TestStore();
        var layer = await store.Unpack(new TarBuilder().Link("link", "/etc/passwd").HardLink("same", "link"));
        new FileInfo(layer + "/same").LinkTarget.Should().Be("/etc/passwd");
    }

    [Fact(Timeout = 30_000)]
    public async Task Nothing_replaces_what_the_same_layer_has()
    {
        using var store = new TestStore();
        await store.Refuses(new TarBuilder().File("a").File("a"), "comes twice");
        await store.Refuses(new TarBuilder().File("a").File("./a"), "comes twice");
        await store.Refuses(new TarBuilder().Folder("a").File("a/b").Link("a", "/etc"), "comes twice");
        await store.Refuses(new TarBuilder().Folder("a").File("a"), "comes twice");
        await store.Refuses(new TarBuilder().File("a").Folder("a"), "needs a folder");
        await store.Refuses(new TarBuilder().File("a").File("a/b"), "needs a folder");
        await store.Refuses(new TarBuilder().File("a").Add("a", '6'), "comes twice");
    }

    [Fact(Timeout = 30_000)]
    public async Task Sizes_that_cannot_be_end_before_anything_is_written()
    {
        using var store = new TestStore();
        var small = new ImageImportOptions { MaxSize = 1 << 20 };
        await store.Refuses(new TarBuilder().Add("huge", '0', size: 0x1_ffff_ffff), "larger than 1,048,576 bytes", small);
        await store.Refuses(new TarBuilder().Add("huge", '0', change: header => TarBuilder.Binary(header, 124, 12, long.MaxValue)), "larger than");
        await store.Refuses(new TarBuilder().Pax("size", "9223372036854775807").File("huge"), "larger than");
        await store.Refuses(new TarBuilder().Pax("size", "9223372036854775808").File("huge"), "is none");
        await store.Refuses(new TarBuilder().Add("negative", '0', change: header => header.AsSpan(124, 12).Fill(0xff)), "negative size");
        await store.Refuses(new TarBuilder().Add("huge", 'L', size: 1 << 30), "name of 1073741824 bytes");
        await store.Refuses(new TarBuilder().Add("huge", 'x', size: 1 << 30), "extended header of 1073741824 bytes");
        await store.Refuses(new TarBuilder().Add("none", '0', change: header => "12x"u8.CopyTo(header.AsSpan(124))), "no number");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_bomb_ends_at_the_limit()
    {
        using var store = new TestStore();
        var bomb = ImageBuilder.Gzip(new TarBuilder().Add("zeros", '0', new byte[64 << 20]).Build());
        bomb.Length.Should().BeLessThan(1 << 20);
        await store.Refuses(ImageBuilder.Layout(store.Path("bomb"), bomb), "larger than 33,554,432 bytes", new ImageImportOptions { MaxSize = 32 << 20 });

        var outer = store.Path("outer.tar.gz");
        File.WriteAllBytes(outer, bomb);
        await store.Refuses(outer, "larger than", new ImageImportOptions { MaxSize = 32 << 20 });

        var many = new TarBuilder();
        for (var i = 0; i < 1001; i++) many.Add($"file{i}", '0');
        await store.Refuses(many, "more than 1,000 entries", new ImageImportOptions { MaxEntries = 1000 });
        // What decompresses to nothing but zeros after the archive's end counts as well.
        await store.Refuses(ImageBuilder.Layout(store.Path("tail"), ImageBuilder.Gzip([.. new TarBuilder().File("a").Build(), .. new byte[64 << 20]])),
            "larger than", new ImageImportOptions { MaxSize = 32 << 20 });
    }

    [Fact(Timeout = 60_000)]
    public async Task Depth_and_length_of_names_have_an_end()
    {
        using var store = new TestStore();
        await store.Refuses(new TarBuilder().Pax("path", string.Join('/', Enumerable.Repeat("d", 201))).File("x"), "more than 200 folders deep");
        await store.Refuses(new TarBuilder().Pax("path", new string('n', 256)).File("x"), "name of 256 bytes in its path");
        await store.Refuses(new TarBuilder().Pax("path", string.Concat(Enumerable.Repeat("dd/", 1366))).File("x"), "name of 4098 bytes");
        await store.Refuses(new TarBuilder().Pax("linkpath", new string('t', 4096)).Link("x", "y"), "link of 4096 bytes");
        await store.Refuses(new TarBuilder().Pax(("path", "a\0b"u8.ToArray())).File("x"), "zero byte");
        await store.Refuses(new TarBuilder().Pax(("linkpath", "a\0b"u8.ToArray())).Link("x", "y"), "link to nothing");
        await store.Refuses(new TarBuilder().Link("x", ""), "link to nothing");
        var deep = await store.Unpack(new TarBuilder().Pax("path", string.Join('/', Enumerable.Repeat("d", 200))).File("x"));
        Directory.Exists(deep).Should().BeTrue();
    }

    [Fact(Timeout = 30_000)]
    public async Task Numbers_out_of_range_are_refused()
    {
        using var store = new TestStore();
        await store.Refuses(new TarBuilder().Add("dev", '3', device: (4096, 0)), "device number");
        if (Privilege.CanMapEverything)
        {
            await store.Refuses(new TarBuilder().Pax("uid", "4294967295").File("x"), "belongs to the user 4294967295");
            await store.Refuses(new TarBuilder().Pax("gid", "99999999999").File("x"), "belongs to the group");
        }

        await store.Refuses(new TarBuilder().Pax("mtime", "yesterday").File("x"), "has the time");
        await store.Refuses(new TarBuilder().Add("x", 'Q'), "unknown type 'Q'");
        await store.Refuses(new TarBuilder().Add("x", 'x', "9 a=b\n"u8.ToArray()).File("y"), "damaged extended header");
        await store.Refuses(new TarBuilder().Add("x", 'x', "999999999999999 a=b\n"u8.ToArray()).File("y"), "damaged extended header");
    }

    [Fact(Timeout = 30_000)]
    public async Task Sparse_maps_that_lie_are_refused()
    {
        using var store = new TestStore();
        await store.Refuses(Sparse("0,512,256,512", 1024), "overlap or lie outside");
        await store.Refuses(Sparse("1600,512", 512), "overlap or lie outside");
        await store.Refuses(Sparse("9223372036854775807,512", 1024), "overlap or lie outside");
        await store.Refuses(Sparse("0,100", 1024), "not what is stored");
        await store.Refuses(Sparse("0,x", 1024), "is none");
        await store.Refuses(new TarBuilder().Pax(("GNU.sparse.major", "1"u8.ToArray()), ("GNU.sparse.realsize", "9"u8.ToArray())).File("x", "99999999999\n"), "more than");
        await store.Refuses(new TarBuilder().Pax(("GNU.sparse.major", "1"u8.ToArray()), ("GNU.sparse.realsize", "9"u8.ToArray())).File("x", "no map"), "damaged map");

        static TarBuilder Sparse(string map, int content) => new TarBuilder()
            .Pax(("GNU.sparse.size", "2048"u8.ToArray()), ("GNU.sparse.map", Encoding.ASCII.GetBytes(map))).Add("sparse", '0', new byte[content]);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_is_cut_off_or_changed_is_refused_at_every_place()
    {
        using var store = new TestStore();
        var plain = new TarBuilder().Folder("a").File("a/b", new string('x', 3000)).Pax("path", "long").File("c").Build();
        foreach (var layer in (byte[][])[plain, ImageBuilder.Gzip(plain)])
        {
            // But for gzip's own checksum at the end, without which the content is whole.
            for (var length = 0; length < layer.Length - 8; length += Math.Max(1, layer.Length / 17))
            {
                // The manifest believes it; only the content's own digest does not.
                var cut = ImageBuilder.Layout(store.Path($"cut-{length}"), layer);
                Replace(cut, ImageBuilder.Hex(layer), layer[..length]);
                await store.Refuses(cut, "");
                Directory.Delete(cut, recursive: true);
            }
        }

        var layout = ImageBuilder.Layout(store.Path("changed"), plain);
        plain[1500] ^= 1;
        File.WriteAllBytes(Directory.GetFiles(layout + "/blobs/sha256").MaxBy(static f => new FileInfo(f).Length)!, plain);
        (await store.Refuses(layout, "has the digest")).Blob.Should().StartWith("sha256:");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_content_must_be_what_the_configuration_says()
    {
        using var store = new TestStore();
        var (one, other) = (new TarBuilder().File("one").Build(), new TarBuilder().File("other").Build());
        var config = ImageBuilder.Blob(store.Path("layout"), Encoding.UTF8.GetBytes(ImageBuilder.Configuration(ImageBuilder.Machine, "{}", other)));
        var layer = ImageBuilder.Blob(store.Path("layout"), one);
        var manifest = ImageBuilder.Blob(store.Path("layout"), Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"config":{{ImageBuilder.Describe(config)}},"layers":[{{ImageBuilder.Describe(layer)}}]}"""));
        ImageBuilder.Index(store.Path("layout"), ImageBuilder.Describe(manifest));
        await store.Refuses(store.Path("layout"), "the image's configuration wants sha256:" + ImageBuilder.Hex(other));
    }

    [Fact(Timeout = 30_000)]
    public async Task An_archives_documents_are_verified_and_limited()
    {
        using var store = new TestStore();
        var layer = new TarBuilder().File("a").Build();
        foreach (var kind in (string[])["architecture", "layers"]) // a word of the configuration, and one of the manifest
        {
            var layout = ImageBuilder.Layout(store.Path(kind), layer);
            var file = Directory.GetFiles(layout + "/blobs/sha256").First(f => new FileInfo(f).Length < 1000 && File.ReadAllText(f).Contains($"\"{kind}\":"));
            File.WriteAllText(file, File.ReadAllText(file).Replace($"\"{kind}\"", $"\"{kind[..^1]}X\"", StringComparison.Ordinal));
            (await store.Refuses(layout, "has the digest")).Blob.Should().Be("sha256:" + Path.GetFileName(file));
            File.AppendAllText(file, " ");
            await store.Refuses(layout, "are announced");
            File.Delete(file);
            await store.Refuses(layout, "is missing");
            File.CreateSymbolicLink(file, "/etc/passwd");
            await store.Refuses(layout, "no ordinary file");
        }

        var broken = ImageBuilder.Layout(store.Path("broken"), layer);
        foreach (var text in (string[])["", "{", "[]", "null", "{\"manifests\":[null]}", "{\"manifests\":[{\"digest\":\"sha256:../../etc\"}]}", "{\"manifests\":[{\"digest\":\"md5:00\"}]}", "{}"])
        {
            File.WriteAllText(broken + "/index.json", text);
            await store.Refuses(broken, "");
        }

        File.WriteAllText(broken + "/index.json", new string(' ', 9 << 20));
        await store.Refuses(broken, "8 MiB");
    }

    [Fact(Timeout = 30_000)]
    public async Task Names_in_a_docker_manifest_do_not_lead_out_of_the_archive()
    {
        using var store = new TestStore();
        using var outside = new TemporaryFolder();
        var layer = new TarBuilder().File("a").Build();
        File.WriteAllBytes(outside.Path + "/layer.tar", layer);
        var config = ImageBuilder.Configuration(ImageBuilder.Machine, "{}", layer);
        foreach (var name in (string[])["../outside/layer.tar", outside.Path + "/layer.tar", "link/layer.tar", "link-to-file"])
        {
            var folder = Directory.CreateDirectory(store.Path("folder")).FullName;
            Directory.CreateSymbolicLink(folder + "/link", outside.Path);
            File.CreateSymbolicLink(folder + "/link-to-file", outside.Path + "/layer.tar");
            File.WriteAllText(folder + "/config.json", config);
            File.WriteAllText(folder + "/manifest.json", $$"""[{"Config":"config.json","Layers":["{{name}}"]}]""");
            await store.Refuses(folder, "");
            Directory.Delete(folder, recursive: true);

            var archive = store.Path("archive.tar");
            File.WriteAllBytes(archive, new TarBuilder().File("config.json", config).Link("link", outside.Path).Link("link-to-file", outside.Path + "/layer.tar")
                .File("manifest.json", $$"""[{"Config":"config.json","Layers":["{{name}}"]}]""").Build());
            await store.Refuses(archive, "");
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task An_archive_with_two_files_of_one_name_or_links_in_a_circle_is_refused()
    {
        using var store = new TestStore();
        File.WriteAllBytes(store.Path("twice.tar"), new TarBuilder().File("manifest.json", "[]").File("./manifest.json", "[]").Build());
        await store.Refuses(store.Path("twice.tar"), "entry './manifest.json': comes twice");
        File.WriteAllBytes(store.Path("circle.tar"), new TarBuilder().Link("manifest.json", "b").Link("b", "manifest.json").Build());
        await store.Refuses(store.Path("circle.tar"), "circle");
        File.WriteAllBytes(store.Path("cut.tar"), new TarBuilder().Add("manifest.json", '0', size: 1 << 20).Build());
        await store.Refuses(store.Path("cut.tar"), "ends in the middle");
    }

    [Fact(Timeout = 30_000)]
    public async Task What_an_error_shows_of_an_archive_cannot_steer_a_terminal()
    {
        using var store = new TestStore();
        var exception = await store.Refuses(ImageBuilder.Layout(store.Path("layout"), new TarBuilder().File("\u001b[2J/../x").Build()), "'..' in its name");
        exception.Message.Should().NotContain("\u001b");
        exception.Entry.Should().Be("\uFFFD[2J/../x");
        exception.Hint.Should().NotBeNullOrEmpty();
    }

    [Theory(Timeout = 30_000)]
    [InlineData("BZh91AY&SY", "Bzip2")]
    [InlineData("\u00fd7zXZ\0", "Xz")]
    public async Task Other_compressions_are_named(string start, string name)
    {
        using var store = new TestStore();
        var layout = ImageBuilder.Layout(store.Path("layout"), Encoding.Latin1.GetBytes(start + new string('x', 600)));
        await store.Refuses(layout, name);
        File.WriteAllBytes(store.Path("file"), Encoding.Latin1.GetBytes(start));
        await store.Refuses(store.Path("file"), name);
    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_no_image_is_said_to_be_none()
    {
        using var store = new TestStore();
        await store.Refuses(Directory.CreateDirectory(store.Path("empty")).FullName, "is no image");
        File.WriteAllText(store.Path("text"), "hello");
        await store.Refuses(store.Path("text"), "no tar archive");
        File.WriteAllBytes(store.Path("tree.tar"), new TarBuilder().File("etc/passwd").Build());
        await store.Refuses(store.Path("tree.tar"), "is no image");
        var missing = () => store.Import(store.Path("missing"));
        await missing.Should().ThrowAsync<FileNotFoundException>();
    }

    private static void Replace(string layout, string hex, byte[] content)
    {
        var blobs = layout + "/blobs/sha256/";
        var old = new FileInfo(blobs + hex);
        var manifest = Directory.GetFiles(blobs).First(f => File.ReadAllText(f).Contains($"sha256:{hex}\",\"size\"", StringComparison.Ordinal));
        var changed = File.ReadAllText(manifest).Replace($"sha256:{hex}\",\"size\":{old.Length}", $"sha256:{ImageBuilder.Hex(content)}\",\"size\":{content.Length}", StringComparison.Ordinal);
        ImageBuilder.Blob(layout, content);
        ImageBuilder.Index(layout, ImageBuilder.Describe(ImageBuilder.Blob(layout, Encoding.UTF8.GetBytes(changed))));
    }
}
