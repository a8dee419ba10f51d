namespace Isolation.Tests.Samples;

public sealed class PodRun() : SampleRun("Pod");
