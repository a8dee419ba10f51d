using System.Globalization;
using Isolation.Interop;
using Microsoft.Win32.SafeHandles;

namespace Isolation.Tests.Identities;

/// <summary>ioctl_ns(2): which user namespace a namespace belongs to.</summary>
internal static class NamespaceOwner
{
    private const uint NS_GET_USERNS = 0xb701;

    /// <summary>As the links of /proc/PID/ns have it.</summary>
    internal static string Of(int pid, string link) => Ask(pid, link, NS_GET_USERNS);

    /// <summary>The parent of a process's user namespace.</summary>
    internal static string ParentOf(int pid) => Ask(pid, "user", Linux.NS_GET_PARENT);

    private static string Ask(int pid, string link, uint request)
    {
        using var handle = File.OpenHandle($"/proc/{pid}/ns/{link}");
        var answer = (int)Kernel.ioctl((int)handle.DangerousGetHandle(), request, 0);
        if (answer < 0) throw new InvalidOperationException($"ioctl: {(Errno)(-answer)}");
        using var found = new SafeFileHandle(answer, ownsHandle: true);
        return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{answer}")).LinkTarget!;
    }
}
