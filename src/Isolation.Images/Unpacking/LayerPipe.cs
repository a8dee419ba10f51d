using System.Collections.Concurrent;
using Isolation.Images.Tar;

namespace Isolation.Images.Unpacking;

/// <summary>
/// Decompresses a layer on a thread of its own, a few blocks ahead of who unpacks it: the one waits for the processor, the
/// other for the file system. The blocks are all the memory that this takes, whatever the layer's size.
/// </summary>
internal sealed class LayerPipe : TarSource, IDisposable
{
    private const int BlockSize = 256 << 10;
    private const int BlockCount = 6;

    private readonly BlockingCollection<byte[]> _free = [];
    private readonly BlockingCollection<(byte[] Block, int Length)> _full = [];
    private readonly CancellationTokenSource _stop;
    private readonly Task _producer;
    private byte[]? _current;

    internal LayerPipe(LayerInput input, CancellationToken cancellationToken)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        for (var i = 0; i < BlockCount; i++) _free.Add(GC.AllocateUninitializedArray<byte>(BlockSize), CancellationToken.None);
        _producer = Task.Factory.StartNew(() => Produce(input), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Takes what comes after the archive's end, so that the digests cover it; returns when they are found right.</summary>
    internal void Drain()
    {
        while (!Take(long.MaxValue).IsEmpty)
        {
        }
    }

    protected override ReadOnlyMemory<byte> Next()
    {
        if (_current is not null) _free.Add(_current);
        _current = null;
        if (_full.TryTake(out var next, Timeout.Infinite, _stop.Token))
        {
            _current = next.Block;
            return next.Block.AsMemory(0, next.Length);
        }

        _producer.GetAwaiter().GetResult(); // an end, or the error that it ended with
        return default;
    }

    public void Dispose()
    {
        _stop.Cancel();
        ((IAsyncResult)_producer).AsyncWaitHandle.WaitOne(); // its own error, if any, has been seen or does not matter any more
        _ = _producer.Exception;
        _stop.Dispose();
        _free.Dispose();
        _full.Dispose();
    }

    private void Produce(LayerInput input)
    {
        try
        {
            while (true)
            {
                var block = _free.Take(_stop.Token);
                var length = input.Fill(block);
                if (length == 0) break;
                _full.Add((block, length));
            }
        }
        finally
        {
            _full.CompleteAdding();
        }
    }
}
