namespace Isolation.Planning;

/// <summary>
/// Where in a plan the program is looked up: <see cref="Count"/> execve steps from <see cref="First"/> on, one for each
/// place the program may be in, and as many pairs of open and read that look at what is there, for the case that none ran.
/// Under Landlock follow as many that ask, from <see cref="FirstAccess"/> on, whether it would be executable without.
/// </summary>
internal readonly record struct ExecutionSteps(int First, int Count, int FirstProbe, int HeadOffset, int HeadSize, int FirstAccess);
