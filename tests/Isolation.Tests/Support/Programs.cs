using Xunit;

namespace Isolation.Tests.Support;

/// <summary>Programs of this machine that tests run in sandboxes.</summary>
internal static class Programs
{
    private static readonly string[] s_path = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>Where a program is, on the path that a sandbox has by default.</summary>
    internal static string? Find(string name) => s_path.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    internal static void Require(params ReadOnlySpan<string> names)
    {
        foreach (var name in names) Assert.SkipUnless(Find(name) is not null, $"The program {name} is not installed.");
    }
}
