using Isolation.Interop;

namespace Isolation.Launching;

/// <summary>A pidfd of this process, by which others see its end.</summary>
internal static class HostDescriptor
{
    private static readonly Retried<int> s_value = new(static () =>
    {
        var fd = Kernel.AboveStandard(Kernel.pidfd_open(Kernel.getpid()));
        return fd >= 0 ? fd : throw LaunchFailure.Host("open a pidfd of the host", "pidfd_open", -fd);
    });

    internal static int Value => s_value.Value;
}
