using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>Which descriptors the program finds open, and nothing else.</summary>
internal static class DescriptorPlanner
{
    /// <summary>
    /// What the stage has opened itself is close-on-exec; what it was given is moved to its number and closed. Pipes and the null device are the
    /// library's own and above 2, so they can be put in place directly. Handles of the user may have any number, even one
    /// that another handle is to get: they are first moved out of the way, above every number asked for. So are the standard
    /// streams that stay, for a handle of the user may be one of them. What the stage has opened may lie on a standard number itself.
    /// </summary>
    internal static void Wire(LaunchPlan plan, in DescriptorWiring wiring)
    {
        if (!wiring.Foreign && wiring.InheritedNumbers.Length == 0)
        {
            var terminal = wiring.OnTerminal == 0 ? (byte)0 : MoveAway(plan, Argument.Register(plan.Terminal.Peer), 3);
            for (var n = 0; n < 3; n++)
                if ((wiring.InPlace >> n & 1) == 0) Place(plan, IsOnTerminal(wiring, n) ? Argument.Register(terminal) : Argument.Handle(PlanHandle.StandardInput + n), n);
            for (var n = 0; n < 3; n++)
                if ((wiring.InPlace >> n & 1) == 0 && !IsOnTerminal(wiring, n)) CloseHostNumber(plan, PlanHandle.StandardInput + n);
            return;
        }

        var numbers = wiring.InheritedNumbers;
        var above = numbers.Length == 0 ? 3 : numbers[^1] + 1;
        Span<byte> registers = stackalloc byte[3 + numbers.Length];
        if (wiring.HasStatus) plan.Status = Argument.Register(MoveAway(plan, Argument.Handle(PlanHandle.Status), above));
        for (var i = 0; i < registers.Length; i++)
            registers[i] = MoveAway(plan, IsOnTerminal(wiring, i) ? Argument.Register(plan.Terminal.Peer) : Argument.Handle(Source(i)), above);
        if (wiring.HasStatus) CloseHostNumber(plan, PlanHandle.Status);
        for (var i = 0; i < registers.Length; i++)
            if (!IsOnTerminal(wiring, i)) CloseHostNumber(plan, Source(i));
        for (var i = 0; i < registers.Length; i++) Place(plan, Argument.Register(registers[i]), i < 3 ? i : numbers[i - 3]);
    }

    private static bool IsOnTerminal(in DescriptorWiring wiring, int stream) => stream < 3 && (wiring.OnTerminal >> stream & 1) != 0;

    /// <summary>The same handle may stand for several descriptors, hence the tolerance.</summary>
    private static void CloseHostNumber(LaunchPlan plan, int handle) =>
        plan.Add(LaunchPlan.Syscall(Sys.close, "close the host's number of a handle", null, Argument.Handle(handle)).Tolerate(Errno.EBADF));

    private static int Source(int index) => index < 3 ? PlanHandle.StandardInput + index : PlanHandle.FirstInherited + index - 3;

    private static byte MoveAway(LaunchPlan plan, Argument handle, int above)
    {
        var register = plan.NewRegister();
        plan.Add(LaunchPlan.Syscall(Sys.fcntl, "move a handle out of the way", null, handle, Linux.F_DUPFD_CLOEXEC, above).To(register));
        return register;
    }

    private static void Place(LaunchPlan plan, Argument source, int number)
    {
        var path = number switch { 0 => "standard input", 1 => "standard output", 2 => "standard error", _ => null };
        plan.Add(LaunchPlan.Syscall(Sys.dup3, "put a descriptor in place", path ?? $"descriptor {number}", source, number, 0));
    }
}
