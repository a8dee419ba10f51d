using Isolation;
using Isolation.Images;

namespace Isolation.Samples;

/// <summary>What IMAGE stands for: options that run a program of it.</summary>
internal static class ImageSource
{
    internal static async Task<IsolationOptions> OpenAsync(ImageStore store, RunArguments arguments, CancellationToken cancellationToken)
    {
        var path = arguments.Image;
        if (Directory.Exists(path) && !File.Exists(Path.Combine(path, "oci-layout"))) return OfFolder(path, arguments.Command);
        Image? image = null;
        if (!Path.Exists(path) && !store.TryGet(path, out image))
            throw new UsageException($"there is no archive or folder '{path}', and the store in {store.Folder} has no image of that name.");
        if (image is null)
        {
            using var progress = new ProgressLine(Path.GetFileName(Path.TrimEndingDirectorySeparator(path)));
            image = await store.ImportAsync(path, progress: progress, cancellationToken: cancellationToken);
        }

        return image.CreateOptions(arguments.Command);
    }

    /// <summary>A file tree, with nothing said of how to run it.</summary>
    private static IsolationOptions OfFolder(string path, List<string> command) =>
        new(command.Count > 0 ? command[0] : "/bin/sh", command.Skip(1)) { Filesystem = { Root = Root.Directory(path, RootAccess.CopyOnWrite) } };
}
