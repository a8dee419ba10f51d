namespace Isolation.Benchmarks;

/// <summary>One way to do the job of a <see cref="Contest"/>.</summary>
/// <param name="Key">Name in the JSON file.</param>
/// <param name="Title">Name in the table.</param>
/// <param name="Measure">Takes a sample, or null where the way is absent.</param>
/// <param name="Note">Why it is absent, or what it leaves out.</param>
/// <param name="Rarely">Takes tens of milliseconds: measured once a block.</param>
/// <param name="ExitOnly">There is no return of Start that could be compared.</param>
/// <param name="MostOfStart">Goal: the start of ours takes at most this many times its start. 0: none.</param>
/// <param name="LeastOfExit">Goal: it takes at least this many times the time of ours to the exit. 0: none.</param>
internal sealed record Way(
    string Key,
    string Title,
    Func<Sample>? Measure,
    string Note = "",
    bool Rarely = false,
    bool ExitOnly = false,
    double MostOfStart = 0,
    double LeastOfExit = 0);
