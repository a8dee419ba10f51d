namespace Isolation.Tests.Samples;

public sealed class PidViewRun() : SampleRun("PidView");
