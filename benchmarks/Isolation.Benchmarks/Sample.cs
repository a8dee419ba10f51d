namespace Isolation.Benchmarks;

/// <summary>One start, in microseconds.</summary>
/// <param name="Start">To the return of Start; for the floor, until the exec is known.</param>
/// <param name="Exit">To the program's exit.</param>
/// <param name="Allocated">Managed bytes that the calling thread allocated in Start.</param>
/// <param name="Memory">The largest resident set, in KB, of a process beside the one that starts. 0: not known.</param>
internal readonly record struct Sample(double Start, double Exit, long Allocated = 0, long Memory = 0);
