using System.Diagnostics;
using System.Globalization;
using Isolation.Images;

namespace Isolation.TestHost;

/// <summary>Works on a store that other processes work on at the same time.</summary>
internal static class Images
{
    /// <summary>import STORE ARCHIVE [SHARE]   imports an image and says its digest; with a share, kills itself when that much has been read.</summary>
    internal static int Import(string[] arguments)
    {
        using var store = ImageStore.Open(arguments[0]);
        var progress = arguments.Length > 2 ? new KillAt(double.Parse(arguments[2], CultureInfo.InvariantCulture)) : null;
        var image = store.ImportAsync(arguments[1], null, progress).GetAwaiter().GetResult();
        foreach (var layer in image.Layers)
            if (!Directory.Exists(layer)) throw new InvalidOperationException($"The layer {layer} is not there.");
        Console.WriteLine(image.Digest);
        return 0;
    }

    /// <summary>remove STORE REFERENCE   whether or not there is such an image.</summary>
    internal static int Remove(string[] arguments)
    {
        using var store = ImageStore.Open(arguments[0]);
        for (var i = 0; i < 10; i++) store.RemoveAsync(arguments[1]).GetAwaiter().GetResult();
        return 0;
    }

    private sealed class KillAt(double share) : IProgress<ImageProgress>
    {
        public void Report(ImageProgress value)
        {
            if (value.BytesRead < share * value.TotalBytes || value.BytesRead == value.TotalBytes) return;
            using var self = Process.GetCurrentProcess();
            self.Kill();
            Thread.Sleep(Timeout.Infinite);
        }
    }
}
