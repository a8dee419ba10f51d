using FluentAssertions;
using Isolation.Images;
using Isolation.Images.Interop;
using Isolation.Images.Storage;
using Isolation.Interop;
using Xunit;

namespace Isolation.Tests.Images;

/// <summary>A store in a folder of its own, and room beside it for archives. Both are gone at the end.</summary>
internal sealed class TestStore : IDisposable
{
    internal TestStore()
    {
        Folder = Directory.CreateTempSubdirectory("isolation-images-").FullName;
        Store = ImageStore.Open(StoreFolder);
    }

    internal string Folder { get; }

    internal string StoreFolder => Folder + "/store";

    internal ImageStore Store { get; }

    internal string Path(string name) => $"{Folder}/{name}";

    internal Task<Image> Import(string path, ImageImportOptions? options = null, IProgress<ImageProgress>? progress = null) =>
        Store.ImportAsync(path, options, progress, TestContext.Current.CancellationToken);

    /// <summary>Imports an image of one layer; returns the layer's folder.</summary>
    internal async Task<string> Unpack(TarBuilder layer) =>
        (await Import(ImageBuilder.Layout(Path("layout"), layer.Build()))).Layers.Should().ContainSingle().Which;

    /// <summary>Asserts that a layer is refused with these words, and that nothing of it is left, here or anywhere.</summary>
    internal Task Refuses(TarBuilder layer, string because, ImageImportOptions? options = null) =>
        Refuses(ImageBuilder.Layout(Path("refused"), layer.Build()), because, options);

    internal async Task<ImageException> Refuses(string path, string because, ImageImportOptions? options = null)
    {
        var import = () => Import(path, options);
        var exception = (await import.Should().ThrowAsync<ImageException>().WithMessage($"*{because}*")).Which;
        exception.Archive.Should().Be(path);
        IsEmpty();
        return exception;
    }

    internal void IsEmpty()
    {
        Directory.GetFileSystemEntries(StoreFolder + "/layers").Should().BeEmpty();
        Directory.GetFileSystemEntries(StoreFolder + "/staging").Should().BeEmpty();
        Directory.GetFileSystemEntries(StoreFolder + "/images").Should().BeEmpty();
        Directory.GetFileSystemEntries(StoreFolder + "/references").Should().BeEmpty();
    }

    /// <summary>What lies in the store, without what is private to it.</summary>
    internal string[] Layers() => [.. Directory.GetDirectories(StoreFolder + "/layers")];

    /// <summary>Skips the test where the file system cannot say that a folder hides others.</summary>
    internal void RequireUserAttributes()
    {
        var folder = Files.OpenFolder(Linux.AT_FDCWD, Files.Name(Folder));
        var result = Files.SetAttribute(folder, "user.probe\0"u8, "y"u8);
        _ = Kernel.close(folder);
        Assert.SkipUnless(result == 0, $"The file system of {Folder} has no user attributes (tmpfs has, since Linux 6.6).");
    }

    public void Dispose()
    {
        Store.Dispose();
        TreeRemover.Remove(Folder);
    }
}
