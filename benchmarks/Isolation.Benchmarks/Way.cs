namespace Isolation.Benchmarks;

/// <summary>One way to do the job of a <see cref="Contest"/>.</summary>
/// <param name="Key">Name in the JSON file.</param>
/// <param name="Title">Name in the table.</param>
/// <param name="Measure">Takes a sample, or null where the way is absent.</param>
/// <param name="Note">Why it is absent, or what it leaves out.</param>
/// <param name="Every">Measured each so many rounds: what takes tens of milliseconds is not measured as often.</param>
/// <param name="ExitOnly">There is no return of Start that could be compared.</param>
/// <param name="MostOfStart">Goal: the start of ours takes at most this many times its start. 0: none.</param>
/// <param name="LeastOfExit">Goal: it takes at least this many times the time of ours to the exit. 0: none.</param>
/// <param name="Memory">Finds out the resident set of what is started, in KB, where the samples do not say it.</param>
internal sealed record Way(
    string Key,
    string Title,
    Func<Sample>? Measure,
    string Note = "",
    int Every = 1,
    bool ExitOnly = false,
    double MostOfStart = 0,
    double LeastOfExit = 0,
    Func<long>? Memory = null);
