namespace Isolation.Planning;

/// <summary>
/// How descriptors reach the program: which of 0, 1 and 2 are in place already (inherited from the host as they are), and
/// at which numbers the inherited handles appear.
/// </summary>
/// <param name="InPlace">Bit n: standard descriptor n is the host's own.</param>
/// <param name="InheritedNumbers">The number of each inherited handle inside, ascending.</param>
/// <param name="Foreign">A standard stream is a handle given by the user, whose number may be anything.</param>
/// <param name="HasStatus">There is a status pipe, because the host waits by epoll.</param>
/// <param name="OnTerminal">Bit n: standard descriptor n is the sandbox's terminal.</param>
internal readonly record struct DescriptorWiring(int InPlace, int[] InheritedNumbers, bool Foreign, bool HasStatus = false, int OnTerminal = 0);
