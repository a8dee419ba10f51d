using Isolation.Images.Unpacking;

namespace Isolation.Images.Storage;

/// <summary>Adds up what the threads of an import report, and passes it on not too often.</summary>
internal sealed class ImportProgress(IProgress<ImageProgress>? listener)
{
    private const int Milliseconds = 50;
    private const int Steps = 100;

    private readonly Lock _gate = new();
    private UnpackBudget? _budget;
    private long _bytes, _total, _nextTime, _nextBytes;
    private int _layersDone, _layerCount;

    internal void Begin(long totalBytes, int layerCount, int layersDone, UnpackBudget budget)
    {
        (_total, _layerCount, _layersDone, _budget) = (totalBytes, layerCount, layersDone, budget);
        Report(always: true);
    }

    internal void Read(int count)
    {
        var bytes = Interlocked.Add(ref _bytes, count);
        Report(always: bytes >= Volatile.Read(ref _nextBytes));
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
        if (listener is null || (!always && Environment.TickCount64 < Volatile.Read(ref _nextTime))) return;
        lock (_gate)
        {
            var bytes = Volatile.Read(ref _bytes);
            Volatile.Write(ref _nextTime, Environment.TickCount64 + Milliseconds);
            Volatile.Write(ref _nextBytes, bytes + _total / Steps);
            listener.Report(new(bytes, _total, Volatile.Read(ref _layersDone), _layerCount, _budget?.Entries ?? 0));
        }
    }
}
