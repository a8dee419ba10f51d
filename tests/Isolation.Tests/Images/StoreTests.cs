using System.Diagnostics;
using FluentAssertions;
using Isolation.Images;
using Isolation.Interop;
using Isolation.Images.Storage;
using Isolation.Tests.Hosts;
using Xunit;

namespace Isolation.Tests.Images;

/// <summary>What a store promises to several users at once, and to those who come after a crash.</summary>
public class StoreTests
{
    private static TarBuilder Layer(string name) => new TarBuilder().Folder("closed", 0x16d).File("closed/" + name, name).Folder("none", 0).File(name, name);

    [Fact]
    public void A_lock_ends_even_while_a_child_that_is_just_started_has_a_copy_of_its_descriptor()
    {
        using var store = new TestStore();
        var taken = FileLock.TryTake(store.Path("lock"), isExclusive: true)!;
        var copy = Kernel.fcntl(taken.Descriptor, Linux.F_DUPFD_CLOEXEC, 3);
        try
        {
            FileLock.TryTake(store.Path("lock"), isExclusive: false).Should().BeNull();
            taken.Dispose();
            using var next = FileLock.TryTake(store.Path("lock"), isExclusive: true);
            next.Should().NotBeNull();
        }
        finally
        {
            _ = Kernel.close(copy);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task An_image_is_found_by_its_names_and_digest_also_by_a_later_user()
    {
        using var store = new TestStore();
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), Layer("a").Build()), new ImageImportOptions { Reference = "docker.io/library/app" });
        using var later = ImageStore.Open(store.StoreFolder);
        foreach (var name in (string[])["app", "app:latest", "docker.io/library/app:latest", image.Digest, image.Digest["sha256:".Length..]])
        {
            later.TryGet(name, out var found).Should().BeTrue("it is {0}", name);
            (found!.Digest, found.References.Single(), found.ToString()).Should().Be((image.Digest, "app:latest", "app:latest"));
            found.Layers.Should().Equal(image.Layers);
        }

        foreach (var name in (string[])["app:1", "other", "sha256:" + new string('0', 64), "No Name", "../app"]) later.TryGet(name, out _).Should().BeFalse();
        later.List().Should().ContainSingle().Which.Digest.Should().Be(image.Digest);
    }

    [Fact(Timeout = 30_000)]
    public async Task Layers_are_stored_once_and_stay_as_long_as_an_image_has_them()
    {
        using var store = new TestStore();
        var (shared, one, two) = (Layer("shared").Build(), Layer("one").Build(), Layer("two").Build());
        await store.Import(ImageBuilder.Layout(store.Path("1"), shared, one), new ImageImportOptions { Reference = "one" });
        await store.Import(ImageBuilder.Layout(store.Path("2"), ImageBuilder.Gzip(shared), two), new ImageImportOptions { Reference = "two" });
        await store.Import(store.Path("2"), new ImageImportOptions { Reference = "second-name" });
        store.Layers().Should().HaveCount(3);
        store.Store.Dispose();

        using var later = ImageStore.Open(store.StoreFolder);
        (await later.RemoveAsync("one")).Should().BeTrue();
        (await later.RemoveAsync("one")).Should().BeFalse();
        store.Layers().Should().HaveCount(2);
        (await later.RemoveAsync("two")).Should().BeTrue();
        store.Layers().Should().HaveCount(2, "the image has another name");
        later.TryGet("second-name", out var left).Should().BeTrue();
        left!.Layers.Should().HaveCount(2);
        later.Dispose();

        using var last = ImageStore.Open(store.StoreFolder);
        (await last.RemoveAsync(left.Digest)).Should().BeTrue();
        store.IsEmpty();
    }

    [Fact(Timeout = 30_000)]
    public async Task What_a_store_has_handed_out_stays_until_it_is_disposed()
    {
        using var store = new TestStore();
        var image = await store.Import(ImageBuilder.Layout(store.Path("layout"), Layer("a").Build()));
        using var other = ImageStore.Open(store.StoreFolder);
        (await other.RemoveAsync(image.Digest)).Should().BeTrue();
        other.List().Should().BeEmpty();
        File.Exists(image.Layers[0] + "/a").Should().BeTrue();
        (await other.CollectGarbageAsync()).Should().Be(0);
        store.Store.Dispose();
        (await other.CollectGarbageAsync()).Should().Be(1);
        store.IsEmpty();
        var use = () => image.Layers;
        use.Should().Throw<ObjectDisposedException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_removed_image_that_was_only_listed_says_so()
    {
        using var store = new TestStore();
        await store.Import(ImageBuilder.Layout(store.Path("layout"), Layer("a").Build()));
        store.Store.Dispose();
        using var lister = ImageStore.Open(store.StoreFolder);
        var listed = lister.List().Single();
        using (var other = ImageStore.Open(store.StoreFolder)) await other.RemoveAsync(listed.Digest);
        var use = () => listed.CreateOptions("x");
        use.Should().Throw<ImageException>().WithMessage("*import it again*");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_name_moves_to_the_newer_image_and_the_older_can_be_collected()
    {
        using var store = new TestStore();
        var named = new ImageImportOptions { Reference = "app" };
        var old = await store.Import(ImageBuilder.Layout(store.Path("1"), Layer("1").Build()), named);
        var recent = await store.Import(ImageBuilder.Layout(store.Path("2"), Layer("2").Build()), named);
        store.Store.TryGet("app", out var found).Should().BeTrue();
        found!.Digest.Should().Be(recent.Digest);
        store.Store.TryGet(old.Digest, out var unnamed).Should().BeTrue();
        unnamed!.References.Should().BeEmpty();
        store.Store.Dispose();
        using var later = ImageStore.Open(store.StoreFolder);
        (await later.CollectGarbageAsync()).Should().Be(0);
        (await later.CollectGarbageAsync(removeUnnamed: true)).Should().Be(1);
        later.List().Should().ContainSingle().Which.Digest.Should().Be(recent.Digest);
    }

    [Fact(Timeout = 60_000)]
    public async Task Many_imports_of_the_same_image_at_once_unpack_it_once()
    {
        using var store = new TestStore();
        var layers = Enumerable.Range(0, 5).Select(static i => Layer("layer" + i).Build()).ToArray();
        var layout = ImageBuilder.Layout(store.Path("layout"), layers);
        var images = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => store.Import(layout)));
        images.Select(static image => image.Digest).Distinct().Should().ContainSingle();
        store.Layers().Should().HaveCount(5);
        Directory.GetFileSystemEntries(store.StoreFolder + "/staging").Should().BeEmpty();
    }

    [Fact(Timeout = 120_000)]
    public async Task Many_processes_import_and_remove_at_once_and_the_store_is_whole()
    {
        using var store = new TestStore();
        var layout = BigLayout(store, out var expected);
        var token = TestContext.Current.CancellationToken;
        var imports = Enumerable.Range(0, 4).Select(_ => HostApp.RunAsync(token, "import", store.StoreFolder, layout)).ToList();
        var removals = Enumerable.Range(0, 2).Select(_ => HostApp.RunAsync(token, "remove", store.StoreFolder, "layout:1"));
        var said = await Task.WhenAll([.. imports, .. removals]);
        said.Take(4).Should().AllBe(expected + "\n");
        Directory.GetFileSystemEntries(store.StoreFolder + "/staging").Should().BeEmpty();
        (await HostApp.RunAsync(token, "import", store.StoreFolder, layout)).Should().Be(expected + "\n");
        store.Store.List().Should().ContainSingle();
    }

    [Theory(Timeout = 120_000)]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public async Task A_process_that_is_killed_leaves_nothing_that_the_next_does_not_remove(double when)
    {
        using var store = new TestStore();
        var layout = BigLayout(store, out var expected);
        string[] command = [.. HostApp.Command, "import", store.StoreFolder, layout, when.ToString(System.Globalization.CultureInfo.InvariantCulture)];
        using (var process = HostApp.Start(command))
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            process.ExitCode.Should().Be(128 + 9, await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        var left = Directory.GetFileSystemEntries(store.StoreFolder + "/staging");
        left.Should().NotBeEmpty("it was killed while it unpacked");
        store.Store.List().Should().BeEmpty();
        store.Layers().Should().HaveCountLessThan(3);
        using (ImageStore.Open(store.StoreFolder)) Directory.GetFileSystemEntries(store.StoreFolder + "/staging").Should().BeEmpty();
        (await HostApp.RunAsync(TestContext.Current.CancellationToken, "import", store.StoreFolder, layout)).Should().Be(expected + "\n");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_another_is_unpacking_is_left_alone()
    {
        using var store = new TestStore();
        var layout = ImageBuilder.Layout(store.Path("layout"), Layer("a").Build());
        var staging = $"{store.StoreFolder}/staging/{ImageBuilder.Hex(Layer("a").Build())}";
        Directory.CreateDirectory(staging + "/fs");
        Task<Image> waiting;
        using (FileLock.TryTakeFolder(staging, isExclusive: true))
        {
            using (ImageStore.Open(store.StoreFolder)) Directory.Exists(staging).Should().BeTrue();
            waiting = store.Import(layout);
            await Task.Delay(100, TestContext.Current.CancellationToken);
            waiting.IsCompleted.Should().BeFalse();
            using var cancel = new CancellationTokenSource();
            var impatient = store.Store.ImportAsync(layout, cancellationToken: cancel.Token);
            await cancel.CancelAsync();
            var give = () => impatient;
            await give.Should().ThrowAsync<OperationCanceledException>();
        }

        File.ReadAllText((await waiting).Layers[0] + "/a").Should().Be("a");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_import_can_be_canceled_half_way_and_reports_how_far_it_is()
    {
        using var store = new TestStore();
        var layout = BigLayout(store, out _);
        using var cancel = new CancellationTokenSource();
        var reports = new List<ImageProgress>();
        var progress = new Reporter(report =>
        {
            reports.Add(report);
            if (report.BytesRead > report.TotalBytes / 2) cancel.Cancel();
        });
        var import = () => store.Store.ImportAsync(layout, null, progress, cancel.Token);
        await import.Should().ThrowAsync<OperationCanceledException>();
        Directory.GetFileSystemEntries(store.StoreFolder + "/staging").Should().BeEmpty();
        store.Store.List().Should().BeEmpty();
        reports.Should().BeInAscendingOrder(static report => report.BytesRead).And.AllSatisfy(static report => report.LayerCount.Should().Be(3));

        reports.Clear();
        await store.Store.ImportAsync(layout, null, new Reporter(reports.Add), TestContext.Current.CancellationToken);
        reports[^1].LayersDone.Should().Be(3);
        reports[^1].BytesRead.Should().Be(reports[^1].TotalBytes);
        reports[^1].Entries.Should().BePositive();
    }

    [Fact(Timeout = 60_000)]
    public async Task Memory_does_not_grow_with_a_layer()
    {
        // In a process of its own with a small heap: a thousand megabytes pass through it.
        using var store = new TestStore();
        var zeros = store.Path("zeros");
        using (var file = File.Create(zeros)) file.SetLength(1000L << 20);
        using (var tar = Process.Start("tar", ["-C", store.Folder, "-czf", store.Path("layer.tgz"), "zeros"])!) await tar.WaitForExitAsync(TestContext.Current.CancellationToken);
        File.Delete(zeros);
        var layout = store.Path("layout");
        var layer = File.ReadAllBytes(store.Path("layer.tgz"));
        string content;
        using (var plain = new System.IO.Compression.GZipStream(new MemoryStream(layer), System.IO.Compression.CompressionMode.Decompress))
            content = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(plain));
        var config = ImageBuilder.Blob(layout, System.Text.Encoding.UTF8.GetBytes(
            $$"""{"architecture":"{{ImageBuilder.Machine}}","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:{{content}}"]} }"""));
        var manifest = ImageBuilder.Blob(layout, System.Text.Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"config":{{ImageBuilder.Describe(config)}},"layers":[{{ImageBuilder.Describe(ImageBuilder.Blob(layout, layer))}}]}"""));
        ImageBuilder.Index(layout, ImageBuilder.Describe(manifest));
        var said = await HostApp.RunBelowShellAsync("export DOTNET_GCHeapHardLimit=0x1400000", TestContext.Current.CancellationToken, "import", store.StoreFolder, layout);
        said.Should().Be($"sha256:{config.Hex}\n");
        new FileInfo($"{store.Layers()[0]}/fs/zeros").Length.Should().Be(1000L << 20);
    }

    [Fact(Timeout = 30_000)]
    public void A_store_that_others_could_change_is_refused()
    {
        using var store = new TestStore();
        File.SetUnixFileMode(store.StoreFolder, (UnixFileMode)0x1ff);
        var open = () => ImageStore.Open(store.StoreFolder);
        open.Should().Throw<ImageException>().WithMessage("*can be written by others*chmod 700*");
        File.SetUnixFileMode(store.StoreFolder, (UnixFileMode)0x1c0);
        NodeView.Stat(store.StoreFolder + "/layers", "%a").Should().Be("700", "nobody else may run what is set-user-ID there");
        if (!Support.Privilege.CanMapEverything) return;
        using var chown = Process.Start("chown", ["1234", store.StoreFolder]);
        chown.WaitForExit();
        open.Should().Throw<ImageException>().WithMessage("*belongs to user 1234*");
    }

    [Fact]
    public void Wrong_arguments_are_refused_at_once()
    {
        using var store = new TestStore();
        foreach (var options in (ImageImportOptions[])
        [
            new() { Reference = "No Name" }, new() { Select = "" }, new() { MaxSize = 0 }, new() { MaxEntries = -1 },
            new() { Architecture = System.Runtime.InteropServices.Architecture.Wasm },
        ])
        {
            var import = () => { _ = store.Store.ImportAsync("/tmp", options); };
            import.Should().Throw<ArgumentException>();
        }

        var none = () => { _ = store.Store.ImportAsync(""); };
        none.Should().Throw<ArgumentException>();
        store.Store.Dispose();
        var late = () => { _ = store.Store.ImportAsync("/tmp"); };
        late.Should().Throw<ObjectDisposedException>();
    }

    /// <summary>Three layers of a few megabytes that do not compress.</summary>
    private static string BigLayout(TestStore store, out string digest)
    {
        var layers = new byte[3][];
        var random = new Random(7);
        for (var i = 0; i < layers.Length; i++)
        {
            var layer = Layer("layer" + i);
            for (var file = 0; file < 40; file++)
            {
                var content = new byte[100_000];
                random.NextBytes(content);
                layer.Add($"file{file}", '0', content);
            }

            layers[i] = ImageBuilder.Gzip(layer.Build());
        }

        var layout = ImageBuilder.Layout(store.Path("layout"),
            (ImageBuilder.Machine, "{}", layers, """, "annotations":{"org.opencontainers.image.ref.name":"1"}"""));
        digest = "sha256:" + ImageBuilder.Hex(System.Text.Encoding.UTF8.GetBytes(ImageBuilder.Configuration(ImageBuilder.Machine, "{}", layers)));
        return layout;
    }

    private sealed class Reporter(Action<ImageProgress> report) : IProgress<ImageProgress>
    {
        public void Report(ImageProgress value) => report(value);
    }
}
