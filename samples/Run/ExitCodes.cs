namespace Isolation.Samples;

/// <summary>Exit codes as Docker has them: what is not the program's own.</summary>
internal static class ExitCodes
{
    internal const int OwnFailure = 125;

    private const int CannotBeInvoked = 126;
    private const int NotFound = 127;
    private const int NoEntry = 2; // ENOENT

    internal static int Of(IsolationException error) => error.Step != "execute the program" ? OwnFailure : error.Errno == NoEntry ? NotFound : CannotBeInvoked;
}
