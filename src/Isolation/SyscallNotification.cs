using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Isolation.Filtering;
using Isolation.Interop;
using Isolation.Supervision;

namespace Isolation;

/// <summary>A syscall that a program in the sandbox wants to make and that waits for an answer.</summary>
public sealed class SyscallNotification
{
    private readonly SyscallListener _listener;
    private readonly seccomp_notif _notification;

    internal SyscallNotification(SyscallListener listener, in seccomp_notif notification) => (_listener, _notification) = (listener, notification);

    /// <summary>The thread that makes the call, as the host sees it; 0 when it cannot be seen from here.</summary>
    public int ThreadId => (int)_notification.pid;

    /// <summary>The call's name, such as "openat", or its number where it has no name.</summary>
    public string Syscall =>
        Architecture is { } architecture && SyscallNames.Name(Number, architecture) is { } name ? name : Number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The call's number, which depends on the architecture.</summary>
    public int Number => _notification.data.nr;

    /// <summary>The architecture of the call, or null for one that this library does not know.</summary>
    public SeccompArchitecture? Architecture => SyscallSupervision.Architecture(_notification.data);

    /// <summary>An argument of the call: a number, or an address in the program's memory.</summary>
    /// <param name="index">0 to 5.</param>
    public ulong GetArgument(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, 5);
        return Unsafe.Add(ref Unsafe.AsRef(in _notification.data.args), index);
    }

    /// <summary>Whether the program still waits: it may have been killed, or interrupted by a signal.</summary>
    public bool IsPending => _listener.IsPending(Id);

    /// <summary>Reads the program's memory: process_vm_readv(2).</summary>
    /// <returns>How many bytes could be read, and were read while the call still waited; 0 otherwise.</returns>
    public int Read(ulong address, Span<byte> buffer)
    {
        var count = Kernel.process_vm_readv(ThreadId, address, buffer);
        // Else the memory may be that of a stranger who has got the number meanwhile.
        return count > 0 && IsPending ? count : 0;
    }

    /// <summary>Reads a NUL-terminated UTF-8 string, such as a path, from the program's memory.</summary>
    /// <param name="address">Where it begins: an argument of the call.</param>
    /// <param name="limit">The most bytes that it may have. Default: 4096, PATH_MAX.</param>
    /// <returns>Null when it is not readable, too long, or the program does not wait any more.</returns>
    public string? ReadString(ulong address, int limit = 4096)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        const int page = 4096;
        var bytes = new byte[limit];
        for (var length = 0; length < limit;)
        {
            // Page by page: the string may end before memory that is not there.
            var part = bytes.AsSpan(length, Math.Min(limit - length, page - (int)((address + (ulong)length) % page)));
            var count = Read(address + (ulong)length, part);
            if (count == 0) return null;
            if (part[..count].IndexOf((byte)0) is >= 0 and var end) return Encoding.UTF8.GetString(bytes, 0, length + end);
            length += count;
        }

        return null;
    }

    internal ulong Id => _notification.id;

    internal ref readonly seccomp_data Data => ref _notification.data;

    /// <summary>Such as "openat(0xffffff9c, 0x7ffe…, 0x0, …)".</summary>
    public override string ToString()
    {
        var arguments = Enumerable.Range(0, 6).Select(index => "0x" + GetArgument(index).ToString("x", CultureInfo.InvariantCulture));
        return $"{Syscall}({string.Join(", ", arguments)})";
    }
}
