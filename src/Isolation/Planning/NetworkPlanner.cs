using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>network_namespaces(7): a new one has a loopback interface that is down.</summary>
internal static class NetworkPlanner
{
    internal static unsafe void RaiseLoopback(LaunchPlan plan)
    {
        var request = new ifreq { ifr_flags = Linux.IFF_UP };
        "lo"u8.CopyTo(new Span<byte>(request.ifr_name, 16));
        var register = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.socket, "open a socket to set up the loopback interface", null, Linux.AF_INET, Linux.SOCK_DGRAM | Linux.SOCK_CLOEXEC, 0).To(register));
        plan.Add(LaunchPlan.Syscall(Sys.ioctl, "bring the loopback interface up", "lo", Argument.Register(register), Linux.SIOCSIFFLAGS, plan.Struct(request)));
        plan.Add(LaunchPlan.Syscall(Sys.close, "close the socket", null, Argument.Register(register)));
    }
}
