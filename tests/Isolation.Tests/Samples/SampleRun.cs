using Xunit;

namespace Isolation.Tests.Samples;

/// <summary>One run of a sample without arguments, for all tests of a class that look at its output.</summary>
public abstract class SampleRun(string sample) : IAsyncLifetime
{
    internal SampleResult Result { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Result = await SampleProcess.RunAsync(sample);

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
