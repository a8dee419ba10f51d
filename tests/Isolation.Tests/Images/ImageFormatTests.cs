using System.Runtime.InteropServices;
using System.Text;
using FluentAssertions;
using Isolation.Images;
using Xunit;

namespace Isolation.Tests.Images;

/// <summary>What kinds of archives can be imported, and which image is taken from them.</summary>
public class ImageFormatTests
{
    private static readonly byte[] s_layer = new TarBuilder().File("file", "hello").Build();

    [Fact(Timeout = 30_000)]
    public async Task A_machines_own_image_is_picked_of_one_for_several()
    {
        using var store = new TestStore();
        var other = new TarBuilder().File("other").Build();
        var folder = store.Path("multi");
        var nested = $$"""
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
            {{Platform(ImageBuilder.Manifest(folder, ImageBuilder.OtherMachine, "{}", other), ImageBuilder.OtherMachine)}},
            {{Platform(ImageBuilder.Manifest(folder, "s390x", "{}", other), "s390x")}},
            {{Platform(ImageBuilder.Manifest(folder, ImageBuilder.Machine, "{}", s_layer), ImageBuilder.Machine)}},
            {{Platform(ImageBuilder.Manifest(folder, "unknown", "{}", other), "unknown", "unknown")}}]}
            """;
        var index = ImageBuilder.Blob(folder, Encoding.UTF8.GetBytes(nested));
        ImageBuilder.Index(folder, ImageBuilder.Describe(index, """, "annotations":{"org.opencontainers.image.ref.name":"latest"}"""));
        var image = await store.Import(folder);
        image.Config.Architecture.Should().Be(ImageBuilder.Machine);
        image.References.Should().Equal("multi:latest");
        File.ReadAllText(image.Layers[0] + "/file").Should().Be("hello");

        var wanted = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? Architecture.X64 : Architecture.Arm64;
        (await store.Import(folder, new ImageImportOptions { Architecture = wanted })).Config.Architecture.Should().Be(ImageBuilder.OtherMachine);
        var missing = () => store.Import(folder, new ImageImportOptions { Architecture = Architecture.X86 });
        await missing.Should().ThrowAsync<ImageException>().WithMessage($"*is for linux/{ImageBuilder.OtherMachine}, linux/s390x, linux/{ImageBuilder.Machine}, not for linux/386*");

        static string Platform((string, int) blob, string architecture, string system = "linux") =>
            ImageBuilder.Describe(blob, $$""", "platform":{"architecture":"{{architecture}}","os":"{{system}}"}""");
    }

    [Fact(Timeout = 30_000)]
    public async Task Another_machines_image_is_refused()
    {
        using var store = new TestStore();
        await store.Refuses(ImageBuilder.Layout(store.Path("layout"), (ImageBuilder.OtherMachine, "{}", [s_layer], "")), "not for linux/" + ImageBuilder.Machine);
    }

    [Fact(Timeout = 30_000)]
    public async Task Of_several_images_one_must_be_named()
    {
        using var store = new TestStore();
        var layout = ImageBuilder.Layout(store.Path("layout"),
            (ImageBuilder.Machine, """{"Cmd":["one"]}""", [s_layer], """, "annotations":{"org.opencontainers.image.ref.name":"one"}"""),
            (ImageBuilder.Machine, """{"Cmd":["two"]}""", [s_layer], """, "annotations":{"io.containerd.image.name":"docker.io/library/two:2"}"""));
        (await store.Refuses(layout, "has 2 images in it: one, docker.io/library/two:2")).Hint.Should().Contain("Select");
        await store.Refuses(layout, "no image 'three'", new ImageImportOptions { Select = "three" });
        foreach (var name in (string[])["one", "layout:one"])
            (await store.Import(layout, new ImageImportOptions { Select = name })).Config.Command.Should().Equal("one");
        foreach (var name in (string[])["two:2", "docker.io/library/two:2"])
            (await store.Import(layout, new ImageImportOptions { Select = name })).Config.Command.Should().Equal("two");
        var digest = store.Store.List().Single(image => image.Config.Command[0] == "two").Digest;
        (await store.Import(layout, new ImageImportOptions { Select = digest, Reference = "three" })).References.Should().Equal("three:latest", "two:2");
        store.Layers().Should().ContainSingle("both share it");
    }

    [Fact(Timeout = 30_000)]
    public async Task An_archive_of_docker_save_may_link_to_a_layer_that_it_has_already()
    {
        using var store = new TestStore();
        var config = ImageBuilder.Configuration(ImageBuilder.Machine, "{}", s_layer, s_layer);
        File.WriteAllBytes(store.Path("docker.tar"), new TarBuilder()
            .Add("one/layer.tar", '0', s_layer).Link("two/layer.tar", "../one/layer.tar").File("config.json", config)
            .File("manifest.json", """[{"Config":"config.json","RepoTags":["docker.io/library/app:1","Not A Name"],"Layers":["one/layer.tar","two/layer.tar"]}]""").Build());
        var image = await store.Import(store.Path("docker.tar"));
        image.References.Should().Equal("app:1");
        image.Layers.Should().HaveCount(2);
        store.Layers().Should().ContainSingle();
    }

    [Fact(Timeout = 30_000)]
    public async Task An_archive_of_newer_docker_is_a_layout_and_names_come_from_both_its_forms()
    {
        using var store = new TestStore();
        var layout = ImageBuilder.Layout(store.Path("layout"), (ImageBuilder.Machine, "{}", [s_layer], ""));
        var config = ImageBuilder.Hex(Encoding.UTF8.GetBytes(ImageBuilder.Configuration(ImageBuilder.Machine, "{}", s_layer)));
        File.WriteAllText(layout + "/manifest.json", $$"""[{"Config":"blobs/sha256/{{config}}","RepoTags":["app:7"],"Layers":["blobs/sha256/{{ImageBuilder.Hex(s_layer)}}"]}]""");
        System.Formats.Tar.TarFile.CreateFromDirectory(layout, store.Path("saved.tar"), includeBaseDirectory: false);
        var image = await store.Import(store.Path("saved.tar"));
        (image.Digest, image.References).Should().BeEquivalentTo(("sha256:" + config, new[] { "app:7" }));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_compressed_archive_is_imported_and_leaves_no_copy()
    {
        using var store = new TestStore();
        var archive = ImageBuilder.DockerArchive(store.Path("docker.tar"), "app", s_layer, ImageBuilder.Gzip(new TarBuilder().File("b").Build()));
        File.WriteAllBytes(store.Path("docker.tar.gz"), ImageBuilder.Gzip(File.ReadAllBytes(archive)));
        File.WriteAllBytes(store.Path("docker.tar.zst"), new ZstdSharp.Compressor().Wrap(File.ReadAllBytes(archive)).ToArray());
        var digests = new HashSet<string>();
        foreach (var file in (string[])["docker.tar", "docker.tar.gz", "docker.tar.zst"])
            digests.Add((await store.Import(store.Path(file), new ImageImportOptions { Reference = "x:" + file })).Digest);
        digests.Should().ContainSingle();
        Directory.GetFileSystemEntries(store.StoreFolder + "/staging").Should().BeEmpty();
        store.Store.List().Should().ContainSingle().Which.References.Should().HaveCount(3);
    }

    [Fact(Timeout = 60_000)]
    public async Task Layers_may_be_compressed_in_several_pieces()
    {
        using var store = new TestStore();
        var (first, second) = (s_layer[..700], s_layer[700..]);
        byte[] gzip = [.. ImageBuilder.Gzip(first), .. ImageBuilder.Gzip(second)];
        File.ReadAllText((await store.Import(ImageBuilder.Layout(store.Path("gzip"), gzip))).Layers[0] + "/file").Should().Be("hello");

        using var zstd = new TestStore();
        var compressor = new ZstdSharp.Compressor();
        byte[] skippable = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
        byte[] frames = [.. skippable, .. compressor.Wrap(first), .. compressor.Wrap(second), .. skippable];
        var folder = zstd.Path("zstd");
        var config = ImageBuilder.Blob(folder, Encoding.UTF8.GetBytes(ImageBuilder.Configuration(ImageBuilder.Machine, "{}", s_layer)));
        var manifest = ImageBuilder.Blob(folder, Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"config":{{ImageBuilder.Describe(config)}},"layers":[{{ImageBuilder.Describe(ImageBuilder.Blob(folder, frames))}}]}"""));
        ImageBuilder.Index(folder, ImageBuilder.Describe(manifest));
        File.ReadAllText((await zstd.Import(folder)).Layers[0] + "/file").Should().Be("hello");
    }
}
