namespace Isolation.TestHost;

/// <summary>The little that scenarios need to say what should be.</summary>
internal static class Expect
{
    internal static void True(bool condition, string what)
    {
        if (!condition) throw new InvalidOperationException("Not so: " + what);
    }

    internal static void Equal<T>(T actual, T expected, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(actual, expected)) throw new InvalidOperationException($"{what} is '{actual}' and not '{expected}'");
    }
}
