namespace Isolation.Tests.Samples;

public sealed class NamespaceTourRun() : SampleRun("NamespaceTour");
