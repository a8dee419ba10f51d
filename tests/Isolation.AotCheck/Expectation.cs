internal static class Expectation
{
    internal static void Check<T>(T expected, T actual)
    {
        if (EqualityComparer<T>.Default.Equals(expected, actual)) return;
        Console.Error.WriteLine($"expected {expected}, got {actual}");
        Environment.Exit(1);
    }
}
