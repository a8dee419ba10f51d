using System.Numerics;
using Isolation.Interop;
using Isolation.Stage;

namespace Isolation.Launching;

/// <summary>
/// Low numbers, kept for descriptors that a child needs. A child copies the host's table of descriptors up to the highest that it needs, and closes
/// what lies between: in a host with thousands of sandboxes, or sockets, a pipe just opened is above them all, and a start would cost
/// a millisecond. Where there are few, the numbers are low anyway.
/// </summary>
internal static class LowDescriptors
{
    /// <summary>One for each bit of <see cref="s_free"/>; five for a start, and some starts at once.</summary>
    private const int Most = 48;

    private static readonly Retried<int[]> s_numbers = new(Reserve);
    private static long s_free;

    /// <summary>A second, low number for a descriptor, close-on-exec, noted in <paramref name="taken"/>; its own where that is low or none is left.</summary>
    internal static int Park(int fd, ref long taken)
    {
        if (Take(fd) is not (>= 0 and var index)) return fd;
        taken |= 1L << index;
        return s_numbers.Value[index];
    }

    /// <summary>Closes what <see cref="Park"/> has noted.</summary>
    internal static void Return(ref long taken)
    {
        for (; taken != 0; taken &= taken - 1) Return(BitOperations.TrailingZeroCount(taken));
    }

    /// <summary>Gives the descriptor a low number, instead of its own, if there is one.</summary>
    internal static int Move(int fd)
    {
        if (Take(fd) is not (>= 0 and var index)) return fd;
        _ = Kernel.close(fd);
        return s_numbers.Value[index];
    }

    /// <summary>Closes what <see cref="Move"/> gave.</summary>
    internal static void Close(int fd)
    {
        var index = Array.BinarySearch(s_numbers.Value, fd);
        if (index >= 0) Return(index);
        else _ = Kernel.close(fd);
    }

    /// <summary>It is one of these numbers.</summary>
    internal static bool Has(int fd) => Array.BinarySearch(s_numbers.Value, fd) >= 0;

    /// <summary>For tests: the descriptor only holds its number.</summary>
    internal static bool IsFree(int fd)
    {
        var index = Array.BinarySearch(s_numbers.Value, fd);
        return index >= 0 && (Volatile.Read(ref s_free) & 1L << index) != 0;
    }

    private static int Take(int fd)
    {
        var numbers = s_numbers.Value;
        if (numbers.Length == 0 || fd <= numbers[^1]) return -1;
        while (true)
        {
            var free = Volatile.Read(ref s_free);
            if (free == 0) return -1;
            var index = BitOperations.TrailingZeroCount(free); // the lowest, so that there is the least below
            if (Interlocked.CompareExchange(ref s_free, free & ~(1L << index), free) != free) continue;
            if (Kernel.Call(Sys.dup3, fd, numbers[index], Linux.O_CLOEXEC) == numbers[index]) return index;
            Interlocked.Or(ref s_free, 1L << index);
            return -1;
        }
    }

    private static void Return(int index)
    {
        _ = Kernel.Call(Sys.dup3, StageImage.Descriptor, s_numbers.Value[index], Linux.O_CLOEXEC);
        Interlocked.Or(ref s_free, 1L << index);
    }

    /// <summary>Holds the numbers by further descriptors of the stage. Few where the host may have few.</summary>
    private static unsafe int[] Reserve()
    {
        var stage = StageImage.Descriptor;
        rlimit64 limit;
        var count = Kernel.Call(Sys.prlimit64, 0, (int)ResourceLimit.OpenFiles, 0, (nint)(&limit)) == 0 ? (int)Math.Min(Most, limit.rlim_cur / 16) : 0;
        var numbers = new List<int>(count);
        for (var next = 3; numbers.Count < count; next = numbers[^1] + 1)
        {
            var number = Kernel.fcntl(stage, Linux.F_DUPFD_CLOEXEC, next);
            if (number < 0) break;
            numbers.Add(number);
        }

        s_free = (1L << numbers.Count) - 1;
        return [.. numbers];
    }
}
