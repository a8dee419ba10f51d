namespace Isolation.Tests.Samples;

internal sealed record SampleResult(int ExitCode, string Output, string Error)
{
    internal string[] Lines => Output.Split('\n', StringSplitOptions.TrimEntries);
}
