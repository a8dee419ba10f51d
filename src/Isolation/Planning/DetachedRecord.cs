using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Isolation.Planning;

/// <summary>
/// What another app must know to find a program again that has outlived its own: the first of the plan's data, in a file. Only the
/// library itself reads it, of the same version or a later one.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DetachedRecord
{
    internal const uint CurrentVersion = 1;
    internal const uint HasPidNamespace = 1, HasInit = 2;

    internal uint Version, Flags;

    /// <summary>Tells it from any other of the same name.</summary>
    internal Guid Id;

    /// <summary>The kernel's boot_id: numbers of processes and times mean nothing after another boot.</summary>
    internal Guid Boot;

    /// <summary>The inode of the PID namespace that the numbers are of.</summary>
    internal long PidNamespace;

    /// <summary>When it was started, in milliseconds since 1970.</summary>
    internal long Started;

    /// <summary>Who has started it, and when that was started, as in <see cref="Monitor"/>.</summary>
    internal ProcessStamp Starter;

    /// <summary>The monitor's /proc/self/stat, by itself: who it is, before there is anything that would have to be found.</summary>
    internal StatText Monitor;

    private NameText _program;

    internal string Program
    {
        readonly get
        {
            ReadOnlySpan<byte> bytes = _program;
            return Encoding.UTF8.GetString(bytes.IndexOf((byte)0) is >= 0 and var end ? bytes[..end] : bytes);
        }

        set
        {
            Span<byte> bytes = _program;
            bytes.Clear();
            Encoding.UTF8.TryGetBytes(value, bytes[..^1], out _);
        }
    }

    internal readonly ProcessStamp MonitorStamp
    {
        get
        {
            ReadOnlySpan<byte> bytes = Monitor;
            return ProcessStamp.Parse(Encoding.Latin1.GetString(bytes[..Math.Max(0, bytes.IndexOf((byte)0))]));
        }
    }

    [InlineArray(1024)]
    internal struct StatText
    {
        private byte _first;
    }

    [InlineArray(1024)]
    private struct NameText
    {
        private byte _first;
    }
}
