using System.Globalization;

namespace Isolation.Images.Unpacking;

/// <summary>What an import may still take, all its layers together.</summary>
internal sealed class UnpackBudget(long maxSize, long maxEntries)
{
    private long _bytes, _entries;

    internal long Entries => Volatile.Read(ref _entries);

    internal void TakeBytes(long count)
    {
        if (Interlocked.Add(ref _bytes, count) > maxSize) throw TooLarge();
    }

    /// <summary>Refuses a size that cannot fit, before anything of it is read.</summary>
    internal void CheckSize(long size)
    {
        if (size > maxSize) throw TooLarge();
    }

    internal void TakeEntry()
    {
        if (Interlocked.Increment(ref _entries) > maxEntries)
            throw new ImageException(string.Create(CultureInfo.InvariantCulture, $"has more than {maxEntries:N0} entries"),
                $"If it is to be trusted, raise {nameof(ImageImportOptions)}.{nameof(ImageImportOptions.MaxEntries)}");
    }

    private ImageException TooLarge() =>
        new(string.Create(CultureInfo.InvariantCulture, $"is larger than {maxSize:N0} bytes when decompressed"),
            $"If it is to be trusted, raise {nameof(ImageImportOptions)}.{nameof(ImageImportOptions.MaxSize)}");
}
