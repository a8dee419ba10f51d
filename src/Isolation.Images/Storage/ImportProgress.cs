using Isolation.Images.Unpacking;

namespace Isolation.Images.Storage;

/// <summary>Adds up what the threads of an import report, and passes it on not too often.</summary>
internal sealed class ImportProgress(IProgress<ImageProgress>? listener)
{
    private const int Milliseconds = 50;

    private readonly Lock _gate = new();
    private UnpackBudget? _budget;
    private long _bytes, _total, _next;
    private int _layersDone, _layerCount;

    internal void Begin(long totalBytes, int layerCount, int layersDone, UnpackBudget budget)
    {
        (_total, _layerCount, _layersDone, _budget) = (totalBytes, layerCount, layersDone, budget);
        Report(always: true);
    }

    internal void Read(int count)
    {
        Interlocked.Add(ref _bytes, count);
        Report(always: false);
    }

    internal void LayerDone()
    {
        Interlocked.Increment(ref _layersDone);
        Report(always: true);
    }

    internal void End()
    {
        _bytes = _total; // also when another process has unpacked some
        _layersDone = _layerCount;
        Report(always: true);
    }

    private void Report(bool always)
    {
        if (listener is null || (!always && Environment.TickCount64 < Volatile.Read(ref _next))) return;
        lock (_gate)
        {
            Volatile.Write(ref _next, Environment.TickCount64 + Milliseconds);
            listener.Report(new(Volatile.Read(ref _bytes), _total, Volatile.Read(ref _layersDone), _layerCount, _budget?.Entries ?? 0));
        }
    }
}
