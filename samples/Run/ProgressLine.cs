using Isolation.Images;

namespace Isolation.Samples;

/// <summary>How far an import is, on one line of the terminal that goes when it is done. Nothing where there is no terminal.</summary>
internal sealed class ProgressLine(string name) : IProgress<ImageProgress>, IDisposable
{
    private readonly Lock _gate = new();
    private int _shown = -1;
    private bool _done;

    public void Report(ImageProgress value)
    {
        if (Console.IsErrorRedirected) return;
        var percent = value.TotalBytes > 0 ? (int)(100 * value.BytesRead / value.TotalBytes) : 0;
        lock (_gate)
        {
            if (_done || percent == _shown) return;
            _shown = percent;
            Console.Error.Write($"\r\e[Kunpacking {name}: {percent} % (layer {Math.Min(value.LayersDone + 1, value.LayerCount)} of {value.LayerCount})");
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _done = true;
            if (_shown >= 0) Console.Error.Write("\r\e[K");
        }
    }
}
